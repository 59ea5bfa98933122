"""``mmcv.fileio``: reading and writing files, MMEngine's by now."""

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__, 'mmengine.fileio')

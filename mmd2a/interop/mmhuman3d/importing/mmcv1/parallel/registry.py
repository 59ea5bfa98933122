"""``mmcv.parallel.registry``: what wraps a model for several devices."""

from mmd2a.interop.mmhuman3d.importing.mmcv1.utils import Registry

MODULE_WRAPPERS = Registry('module wrapper', scope='mmcv')

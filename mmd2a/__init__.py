"""Depth- and distribution-aware human mesh recovery for OpenMMLab."""

from mmd2a import interop, moved
from mmd2a.requirements import check_requirements
from mmd2a.version import __version__

check_requirements()
# So that `type='mmpose.X'` builds wherever this package is imported.
interop.activate()
moved.activate()

__all__ = ['__version__']

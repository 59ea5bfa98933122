"""Depth- and distribution-aware human mesh recovery for OpenMMLab."""
from mmd2a.requirements import check_requirements
from mmd2a.version import __version__

check_requirements()

__all__ = ['__version__']

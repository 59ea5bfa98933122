"""Depth- and distribution-aware human mesh recovery for OpenMMLab."""
from mmd2a.version import __version__

__all__ = ['__version__']

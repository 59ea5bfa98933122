"""What it takes to work with the packages around this one."""

from mmd2a.interop.neighbours import activate, status

__all__ = ['activate', 'status']

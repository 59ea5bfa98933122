"""Memory of a training on a processor, kept instead of asked for anew."""

import ctypes
import os
import sys

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_LARGEST_MMAP_THRESHOLD = 32 << 20  # glibc takes no more
_KEPT = 1 << 30


def keep_memory() -> None:
    """Have memory that a step gives back serve the next one.

    glibc returns every array above its threshold to the system, which
    hands out zeroed pages in the next step again, one fault per 4 kB. Arrays
    up to 32 MB come from the heap instead, of which up to 1 GB stays; and
    PyTorch asks for huge pages (``THP_MEM_ALLOC_ENABLE``). Results do not
    change.

    Call it before torch is imported: PyTorch looks once. What a user has set
    in the environment stays. Nothing happens where there is no glibc.

    Example:
        >>> keep_memory()
    """
    os.environ.setdefault('THP_MEM_ALLOC_ENABLE', '1')
    if not sys.platform.startswith('linux'):
        return
    if any(name.startswith('MALLOC_') for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        mallopt(_M_TRIM_THRESHOLD, _KEPT)

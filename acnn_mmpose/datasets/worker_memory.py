"""Keeping memory that an image leaves behind for the next image."""

from __future__ import annotations

import ctypes
from functools import cache

from torch.utils.data import get_worker_info

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEEP = 256 << 20  # bytes; more than a large photograph takes


@cache
def keep_freed_memory() -> bool:
    """Make a worker of the data loader keep freed memory, up to 256 MiB.

    C libraries return a freed photograph to the system and then ask for the same memory again,
    which the system must empty page by page: on virtual machines that can take as long as decoding.
    This has no effect outside workers, nor where the C library is not glibc.

    Returns:
        Whether it has an effect.
    """
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None) if get_worker_info() else None
    if mallopt is None:
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, KEEP) and mallopt(M_MMAP_THRESHOLD, KEEP))

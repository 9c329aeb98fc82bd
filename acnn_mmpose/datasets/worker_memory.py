"""Keeping memory that an image leaves behind for the next image."""

from __future__ import annotations

import ctypes
from functools import cache

from torch.utils.data import get_worker_info

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
KEEP = 256 << 20  # bytes
LARGEST = 32 << 20  # bytes; the most that glibc takes, and what a photograph of 11 megapixels needs


def keep_freed_memory() -> bool:
    """Make a worker of the data loader keep freed memory, up to 256 MiB.

    C libraries return a freed photograph to the system and then ask for the same memory again,
    which the system must empty page by page: on virtual machines that can take as long as decoding.
    Nothing happens outside workers, nor where the C library is not glibc.

    Returns:
        Whether memory is kept.
    """
    return get_worker_info() is not None and _keep_freed_memory()


@cache
def _keep_freed_memory() -> bool:
    mallopt = getattr(ctypes.CDLL(None), 'mallopt', None)
    if mallopt is None:
        return False
    return bool(mallopt(M_TRIM_THRESHOLD, KEEP) and mallopt(M_MMAP_THRESHOLD, LARGEST))

"""Keeping memory that an image or a training step leaves behind for the next one."""

from __future__ import annotations

import ctypes
import os
import platform
from functools import cache

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h


@cache
def keep_freed_memory(total: int = -1, largest: int = 1 << 30) -> bool:
    """Make this process keep the memory that it frees, unless a block is large; say whether.

    C libraries return a freed photograph or feature map to the system and then ask for the same
    memory again, which the system must empty page by page: on virtual machines that can take as
    long as decoding the photograph, and a tenth of a training step. ``total`` bytes are kept, -1:
    all that were ever needed at once.

    Nothing happens where the C library is not glibc, nor where one of glibc's ``MALLOC_...``
    environment variables is set: then memory is handled as that says.
    """
    if platform.libc_ver()[0] != 'glibc' or any(n.startswith('MALLOC_') for n in os.environ):
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # glibc < 2.35 takes no more than 32 MiB
    is_set = mallopt(M_MMAP_THRESHOLD, largest) or mallopt(M_MMAP_THRESHOLD, 32 << 20)
    return bool(is_set and mallopt(M_TRIM_THRESHOLD, total))

"""What this machine is, and what it is good at."""

from __future__ import annotations

import functools
import platform
import time
from pathlib import Path

import torch
import torch.nn.functional as F


def name_cpu() -> str:
    """Name the processor as the system does."""
    info = Path('/proc/cpuinfo')
    for line in info.read_text(encoding='utf-8').splitlines() if info.is_file() else ():
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()


@functools.cache
def bfloat16_speedup() -> float:
    """Measure how much faster this CPU convolves in bfloat16 than in float32; below 1: slower.

    Measured, because torch runs bfloat16 on every CPU, and says that it is supported on some that
    lack the instructions (avx512_bf16, amx_bf16, on Arm bf16) and are many times slower with it.
    It takes tens of milliseconds where it is fast.
    """
    image = torch.ones(1, 128, 32, 32).contiguous(memory_format=torch.channels_last)
    weight = torch.ones(128, 128, 3, 3)
    dtypes = (torch.float32, torch.bfloat16)
    seconds: dict[torch.dtype, list[float]] = {dtype: [] for dtype in dtypes}
    for dtype in dtypes * 8:  # in turn, so that whatever else runs meets both
        operands = image.to(dtype), weight.to(dtype)
        start = time.perf_counter()
        F.conv2d(*operands, padding=1)
        seconds[dtype].append(time.perf_counter() - start)
    return min(seconds[torch.float32]) / min(seconds[torch.bfloat16])

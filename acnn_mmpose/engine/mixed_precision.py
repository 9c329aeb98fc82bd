"""Training in mixed precision, on a GPU or a CPU."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.device import get_device
from mmengine.logging import print_log
from mmengine.optim import OptimWrapper
from mmpose.registry import OPTIM_WRAPPERS
from torch import nn


@OPTIM_WRAPPERS.register_module()
class CpuAmpOptimWrapper(OptimWrapper):
    """Automatic mixed precision on a CPU: convolutions in bfloat16, weights and loss in float32.

    MMEngine's ``AmpOptimWrapper`` needs a GPU. Bfloat16 has the range of float32, so that
    gradients need no scaling. Where it does not pay, a warning says so.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        speedup = bfloat16_speedup() if get_device() == 'cpu' else 1.0
        if speedup < 1:
            print_log(
                f'mixed precision makes this run slower: the CPU convolves {1 / speedup:.1f} times '
                'slower in bfloat16 than in float32, so leave --amp out, or set '
                'optim_wrapper.type=OptimWrapper',
                logger='current',
                level=logging.WARNING,
            )

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Compute the forward pass and the loss under autocast."""
        with super().optim_context(model), torch.autocast('cpu', dtype=torch.bfloat16):
            yield


def enable_amp(cfg: Config, device: str | None = None) -> None:
    """Train with automatic mixed precision, by default on the device that MMEngine's Runner takes.

    In bfloat16 on a CPU and on a GPU that computes in it; on an older GPU in float16, whose small
    range takes MMEngine's dynamic loss scaling.
    """
    device = device or get_device()
    wrapper = cfg.optim_wrapper
    if device == 'cpu':
        wrapper.type = 'CpuAmpOptimWrapper'
        for option in ('dtype', 'loss_scale', 'use_fp64'):  # of AmpOptimWrapper
            wrapper.pop(option, None)
    elif amp_dtype(device) == torch.bfloat16:
        wrapper.update(type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False))
    else:
        wrapper.update(type='AmpOptimWrapper', dtype='float16')
        wrapper.setdefault('loss_scale', 'dynamic')


def amp_dtype(device: str) -> torch.dtype:
    """Choose the lower precision of a device: bfloat16, or float16 on a GPU that lacks it."""
    if torch.device(device).type != 'cuda' or torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.bfloat16
    return torch.float16


@functools.cache
def bfloat16_speedup() -> float:
    """Measure how much faster this CPU convolves in bfloat16 than in float32; below 1: slower.

    Measured, because torch runs bfloat16 on every CPU, and says that it is supported on some that
    lack the instructions and are many times slower with it.
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

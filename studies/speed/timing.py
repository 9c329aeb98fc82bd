"""Timing functions in turn, so that whatever else the machine does meets all of them.

Every round has an order of its own: what runs after what makes a difference of some percent.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from acnn_mmpose.engine import amp_dtype
from acnn_mmpose.engine.mixed_precision import bfloat16_speedup

import torch

MIN_ROUNDS, MAX_ROUNDS = 3, 100


def interleave(
    runs: Mapping[str, Callable[[], Any]], seconds: float, device: str
) -> Iterator[dict[str, float]]:
    """Time functions round by round, each once per round.

    Args:
        runs: The functions, already warm.
        seconds: After how long no new round starts; there are at least 3 and at most 100 rounds.
        device: Where they compute. On a GPU its own clock counts.

    Yields:
        Per function the seconds of one round.
    """
    end = time.perf_counter() + seconds
    for count in range(MAX_ROUNDS):
        if count >= MIN_ROUNDS and time.perf_counter() >= end:
            return
        order = random.sample(list(runs), len(runs))
        yield {name: clock(runs[name], device) for name in order}


def clock(run: Callable[[], Any], device: str) -> float:
    """Time one call, in seconds; on a GPU from the first kernel to the end of the last."""
    if torch.device(device).type == 'cuda':
        with torch.cuda.device(device):
            start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            start.record()
            run()
            end.record()
            torch.cuda.synchronize()
            return start.elapsed_time(end) / 1000
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def is_fast_in_bfloat16(device: str) -> bool:
    """Whether bfloat16 is worth a measurement; where it is slow, it would take most of the time."""
    if torch.device(device).type == 'cpu':
        return bfloat16_speedup() >= 1
    return amp_dtype(device) == torch.bfloat16

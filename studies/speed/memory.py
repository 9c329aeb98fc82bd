"""How much memory a case needs at its peak, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import torch
from mmengine.registry import init_default_scope


def measure_peaks(
    builds: Mapping[str, Callable[[], Callable[[], Any]]], device: str
) -> Iterator[tuple[str, int]]:
    """Measure case by case.

    Args:
        builds: Per case what prepares it and returns the function to call; picklable.
        device: Where they compute.

    Yields:
        A case and its bytes: weights, gradients, optimizer and activations, on a CPU without what
        Python and its imports take.
    """
    for name, build in builds.items():
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(1, mp_context=context) as process:
            yield name, process.submit(measure_peak, build, device).result()


def measure_peak(build: Callable[[], Callable[[], Any]], device: str) -> int:
    """Prepare a case, call it twice and return the bytes that this process has needed more."""
    init_default_scope('mmpose')  # this is a new process
    if torch.device(device).type == 'cuda':
        run = build()
        run()
        run()
        return torch.cuda.max_memory_allocated(device)
    before = _peak_of_process()
    run = build()
    run()
    run()  # optimizer states are there from the second call on
    return _peak_of_process() - before


def _peak_of_process() -> int:
    status = Path('/proc/self/status')
    if status.is_file():  # getrusage would count what the parent process had when it started this
        (line,) = (s for s in status.read_text().splitlines() if s.startswith('VmHWM:'))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == 'darwin' else peak * 1024

"""What processes are set to: memory and, in workers of the data loader, threads."""

from __future__ import annotations

import os
import platform
import resource
from typing import Any

from acnn_mmpose.allocator import keep_freed_memory

import cv2
import mmengine
import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch.utils.data import DataLoader

from tests.conftest import ROOT


class Probe:
    """A data set whose one sample tells what its worker is set to."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, _: int) -> dict[str, Any]:
        kept = keep_freed_memory(total=256 << 20, largest=32 << 20)
        fill_and_free()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        fill_and_free()
        faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
        threads = cv2.getNumThreads(), torch.get_num_threads()
        return dict(kept=kept, faults=faults, threads=threads)


def fill_and_free() -> None:
    """Use the memory of 40 photographs, 27,000 pages of 4 KiB: more than a process has to spare."""
    photographs = [np.empty((720, 1280, 3), np.uint8) for _ in range(40)]
    for photograph in photographs:
        photograph.fill(0)


def test_workers_compute_in_one_thread():
    """Threads are limited by MMEngine (``env_cfg``) and torch already."""
    env_cfg = Config.fromfile(ROOT / 'configs/acnn_phase1.py').env_cfg
    threads = cv2.getNumThreads()
    mmengine.utils.dl_utils.set_multi_processing(**env_cfg.mp_cfg)
    (worker,) = DataLoader(Probe(), batch_size=None, num_workers=1)
    cv2.setNumThreads(threads)
    assert worker['threads'] == [1, 1]


@pytest.mark.skipif(platform.libc_ver()[0] != 'glibc', reason="other C libraries can't be told to")
def test_workers_keep_memory(monkeypatch):
    for name in [name for name in os.environ if name.startswith('MALLOC_')]:
        monkeypatch.delenv(name)
    # spawned: a forked worker would have inherited what a training in this process has set
    loader = DataLoader(Probe(), batch_size=None, num_workers=1, multiprocessing_context='spawn')
    (worker,) = loader
    assert worker['kept']
    assert worker['faults'] < 1000


def test_what_the_environment_says_of_memory_is_left_alone(monkeypatch):
    monkeypatch.setenv('MALLOC_PERTURB_', '0')
    assert not keep_freed_memory.__wrapped__()

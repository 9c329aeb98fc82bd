"""Samples that a resumed run repeats exactly."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset


class SeededSamples:
    """Makes samples that depend on the run's seed, the epoch and their index in it, and on no more.

    MMPose's transforms, and its data sets that choose whom to show, draw from numpy's and Python's
    global generators. These are seeded before each sample, whatever the process made before.

    Args:
        dataset: The data loader's data set, wrappers included.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        # shared memory: persistent workers see what the main process sets
        self._seed_and_epoch = torch.zeros(2, dtype=torch.int64).share_memory_()

    @classmethod
    def install(cls, dataset: Dataset) -> SeededSamples:
        """Make data loaders fetch samples here: they ask a data set for ``__getitems__`` first."""
        samples = cls(dataset)
        setattr(dataset, '__getitems__', samples)  # noqa: B010
        return samples

    def start_epoch(self, seed: int, epoch: int) -> None:
        """Set the run's seed and the epoch, counted from 0."""
        self._seed_and_epoch.copy_(torch.tensor([seed, epoch]))

    def __call__(self, indices: Sequence[int]) -> list[Any]:
        """Make the samples of a batch."""
        return [self._make(index) for index in indices]

    def _make(self, index: int) -> Any:
        sequence = np.random.SeedSequence([*self._seed_and_epoch.tolist(), index])
        state = sequence.generate_state(1)[0]
        np.random.seed(state)
        random.seed(int(state))
        return self._dataset[index]

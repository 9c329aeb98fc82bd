"""Augmentation and noise that a resumed run repeats exactly."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...datasets import SeededSamples


@HOOKS.register_module()
class SampleSeedHook(Hook):
    """Makes samples, and what the network draws, a function of seed, epoch and place in it alone.

    Worker processes, and torch's generator, from which masks of a study draw noise, otherwise draw
    from a stream that starts anew when a run is resumed.
    """

    def before_train(self, runner: Runner) -> None:
        """Take over making samples, before workers start."""
        self.samples = SeededSamples.install(runner.train_dataloader.dataset)

    def before_train_epoch(self, runner: Runner) -> None:
        """Tell what makes the samples, in this process and in the workers."""
        self.samples.start_epoch(runner.seed, runner.epoch)

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Seed this process for the epoch that begins.

        Not before the epoch: a data loader that starts its workers draws a number first.
        """
        if batch_idx == 0:
            state = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
            torch.manual_seed(int(state.generate_state(1)[0]))

"""Augmentation and noise that a resumed run repeats exactly."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from mmpose.registry import HOOKS

from ..datasets import SeedSample
from .unreadable_images import inner_datasets


@HOOKS.register_module()
class SampleSeedHook(Hook):
    """Tells :class:`SeedSample` the run's seed and the epoch that begins.

    Worker processes otherwise draw augmentations from a stream that starts anew when a run is
    resumed, so that a resumed run sees other crops than one that was not interrupted. So would
    torch's generator, which the noise of the masks is drawn from. A training loop without epochs
    keeps these streams.
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Set seed and epoch, in this process and in the workers."""
        if not isinstance(runner.train_loop, EpochBasedTrainLoop):
            return
        state = np.random.SeedSequence([runner.seed, runner.epoch, get_rank()])
        torch.manual_seed(int(state.generate_state(1)[0]))
        for dataset in inner_datasets(runner.train_dataloader.dataset):
            for transform in getattr(getattr(dataset, 'pipeline', None), 'transforms', []):
                if isinstance(transform, SeedSample):
                    transform.start_epoch(runner.seed, runner.epoch)

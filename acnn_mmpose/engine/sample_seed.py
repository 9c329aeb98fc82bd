"""Augmentation that a resumed run repeats exactly."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ..datasets import SeedSample


@HOOKS.register_module()
class SampleSeedHook(Hook):
    """Tells :class:`SeedSample` the run's seed and the epoch that begins.

    Worker processes otherwise draw augmentations from a stream that starts anew when a run is
    resumed, so that a resumed run sees other crops than one that was not interrupted.
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Set seed and epoch, in this process and in the workers."""
        for transform in runner.train_dataloader.dataset.pipeline.transforms:
            if isinstance(transform, SeedSample):
                transform.start_epoch(runner.seed, runner.epoch)

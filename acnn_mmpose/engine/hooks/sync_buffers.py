"""Norms' statistics that several processes share, in the averaged weights, too."""

from __future__ import annotations

from mmengine.dist import all_reduce_params
from mmengine.hooks import EMAHook, SyncBuffersHook
from mmengine.runner import Runner
from mmpose.registry import HOOKS


@HOOKS.register_module()
class SyncAllBuffersHook(SyncBuffersHook):
    """MMEngine's hook, which forgets the buffers of EMAHook's weights.

    Validation uses the averaged weights with the statistics of all processes; a checkpoint would
    hold them with those of the first process alone, and score otherwise than it was validated.
    """

    def after_train_epoch(self, runner: Runner) -> None:
        """Average statistics over processes."""
        super().after_train_epoch(runner)
        for hook in runner.hooks:
            if isinstance(hook, EMAHook):
                all_reduce_params(hook.ema_model.module.buffers(), op='mean')

"""A training in pieces: how long it has taken so far, and when to stop."""

from __future__ import annotations

import time

from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

SECONDS = 'train_seconds'


@HOOKS.register_module()
class ClockHook(Hook):
    """Counts the seconds of training, and stops before the epoch that would end too late.

    The count is part of the checkpoint: it is that of the epochs that led to the weights, however
    often the run was stopped. Validation is not counted.

    Args:
        deadline: In seconds as of :func:`time.time`; None never stops. At least one epoch is
            trained, so that every piece goes on.
    """

    def __init__(self, deadline: float | None = None) -> None:
        self.deadline = deadline
        self._start = 0.0

    def before_train(self, runner: Runner) -> None:
        """Begin to count, unless the run is resumed."""
        if runner.epoch == 0:
            runner.message_hub.update_info(SECONDS, 0.0)

    def before_train_epoch(self, runner: Runner) -> None:
        """Note when the epoch begins."""
        self._start = time.monotonic()

    def after_train_epoch(self, runner: Runner) -> None:
        """Count the epoch, before its checkpoint is saved, and decide on the next."""
        epoch = time.monotonic() - self._start
        hub = runner.message_hub
        hub.update_info(SECONDS, hub.get_info(SECONDS, 0.0) + epoch)
        if self.deadline is not None and time.time() + epoch > self.deadline:
            runner.train_loop.stop_training = True

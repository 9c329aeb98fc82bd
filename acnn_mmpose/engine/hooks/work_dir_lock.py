"""One training at a time in a work dir, whoever starts it."""

from __future__ import annotations

from contextlib import ExitStack

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner
from mmpose.registry import HOOKS

from ..work_dir_lock import hold_work_dir


@HOOKS.register_module()
class WorkDirLockHook(Hook):
    """Holds the work dir (:func:`hold_work_dir`) while a Runner trains.

    ``tools/train.py`` holds those of all its phases from the start; ``mim train`` has this hook.

    Raises:
        ACNNError: If another process trains there.
    """

    priority = 'VERY_HIGH'

    def __init__(self) -> None:
        self._stack = ExitStack()

    def before_run(self, runner: Runner) -> None:
        """Take the lock for a training, which alone has built its loop here."""
        if isinstance(runner._train_loop, BaseLoop):
            self._stack.enter_context(hold_work_dir(runner.work_dir, runner._launcher))

    def after_run(self, runner: Runner) -> None:
        """Give it back."""
        self._stack.close()

"""Tests what will be deployed."""

from __future__ import annotations

import torch
from mmengine.hooks import EMAHook, Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS

from ...models import unwrap


@HOOKS.register_module()
class DeployHook(Hook):
    """Calls the model's ``switch_to_deploy`` before a test, in ``'float32'`` or ``'bfloat16'``."""

    def __init__(self, dtype: str = 'float32') -> None:
        self.dtype = getattr(torch, dtype)

    def before_test(self, runner: Runner) -> None:
        """Deploy."""
        # EMAHook has read the same weights, and would exchange them with those that are deployed
        runner._hooks = [hook for hook in runner.hooks if not isinstance(hook, EMAHook)]
        unwrap(runner.model).switch_to_deploy(self.dtype)

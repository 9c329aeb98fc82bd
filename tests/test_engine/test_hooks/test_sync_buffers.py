from __future__ import annotations

from types import SimpleNamespace

from acnn_mmpose.engine.hooks import SyncAllBuffersHook

import torch
from mmengine.hooks import EMAHook
from torch import nn


def test_averaged_weights_get_the_statistics_that_processes_share():
    model = nn.BatchNorm2d(3)
    ema = EMAHook()
    runner = SimpleNamespace(model=model, hooks=[SyncAllBuffersHook(), ema])
    ema.before_run(runner)
    model.running_mean.fill_(2)  # as if the hook had averaged it over processes
    model.weight.data.fill_(5)
    runner.hooks[0].after_train_epoch(runner)
    averaged = ema.ema_model.module
    assert torch.equal(averaged.running_mean, torch.full((3,), 2.0))
    assert torch.equal(averaged.weight, torch.ones(3))

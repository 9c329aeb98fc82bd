from __future__ import annotations

from types import SimpleNamespace

from acnn_mmpose.engine.hooks import SyncAllBuffersHook, sync_buffers

import torch
from mmengine.hooks import EMAHook
from torch import nn


def run_epoch(monkeypatch, **options) -> tuple[nn.Module, nn.Module]:
    """End an epoch of two processes, of which the other has statistics three times as large."""

    def average(buffers, op):
        assert op == 'mean'
        for buffer in buffers:
            buffer.copy_(2 * buffer)

    model = nn.BatchNorm2d(3)
    ema = EMAHook(momentum=0.1, **options)
    runner = SimpleNamespace(model=model, iter=0, hooks=[SyncAllBuffersHook(), ema])
    ema.before_run(runner)
    for value in (1.0, 2.0):
        model.running_mean.fill_(value)
        model.weight.data.fill_(5)
        ema.after_train_iter(runner, 0)
    monkeypatch.setattr(sync_buffers, 'all_reduce_params', average)
    runner.hooks[0].after_train_epoch(runner)
    return model, ema.ema_model.module


def test_averaged_weights_get_the_statistics_that_processes_share(monkeypatch):
    model, averaged = run_epoch(monkeypatch)
    assert torch.equal(averaged.running_mean, torch.full((3,), 4.0))
    torch.testing.assert_close(averaged.weight, model.weight)


def test_statistics_that_are_averaged_over_steps_stay_so(monkeypatch):
    _, averaged = run_epoch(monkeypatch, update_buffers=True)
    torch.testing.assert_close(averaged.running_mean, torch.full((3,), 2 * 1.1))

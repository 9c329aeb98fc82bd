"""Augmentation and noise that a resumed run repeats."""

from __future__ import annotations

from types import SimpleNamespace

from acnn_mmpose.engine.hooks import SampleSeedHook, sample_seed

import torch
from mmengine.runner import EpochBasedTrainLoop


def draw(monkeypatch, seed: int = 0, epoch: int = 0, rank: int = 0) -> float:
    """Return the first random number of an epoch."""
    monkeypatch.setattr(sample_seed, 'get_rank', lambda: rank)
    loop = EpochBasedTrainLoop.__new__(EpochBasedTrainLoop)
    runner = SimpleNamespace(seed=seed, epoch=epoch, train_loop=loop)
    SampleSeedHook().before_train_iter(runner, batch_idx=0)
    return torch.rand(1).item()


def test_noise_depends_on_seed_epoch_and_rank_and_on_nothing_else(monkeypatch):
    first = draw(monkeypatch)
    assert draw(monkeypatch) == first
    others = [draw(monkeypatch, **{name: 1}) for name in ('seed', 'epoch', 'rank')]
    assert len({first, *others}) == 4

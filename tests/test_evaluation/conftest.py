"""A small network on a small data root in MPII's layout."""

from __future__ import annotations

from pathlib import Path

import acnn_mmpose.engine as engine

import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.conftest import FAST_TRAINING
from tests.mpii_root import make_mpii_root

CONFIG = Path(__file__).parents[2] / 'configs' / 'toy' / 'acnn_toy_phase3.py'


@pytest.fixture(scope='session')
def mpii_root(tmp_path_factory) -> Path:
    return make_mpii_root(tmp_path_factory.mktemp('data') / 'mpii')


@pytest.fixture
def cfg(mpii_root, tmp_path, monkeypatch) -> Config:
    monkeypatch.setenv('ACNN_DATA_ROOT', str(mpii_root))
    return engine.load_config(str(CONFIG), str(tmp_path / 'work'), FAST_TRAINING)


@pytest.fixture
def checkpoint(cfg, tmp_path) -> Path:
    """Random weights, with positive heatmaps: MMPose puts joints without any at (-1, -1)."""
    weights = MODELS.build(cfg.model).state_dict()
    for name, value in weights.items():
        if name.startswith('head') and name.endswith('bias'):
            value += 2
    torch.save({'state_dict': weights, 'meta': {}}, tmp_path / 'random.pth')
    return tmp_path / 'random.pth'

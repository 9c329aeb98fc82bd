"""A setup with networks that run in milliseconds."""

from __future__ import annotations

import studies.speed.setup as setup_module
from acnn_mmpose.engine import load_config
from studies.speed import make_setup

import pytest

from tests.conftest import FAST_TRAINING, ROOT


@pytest.fixture
def setup(tmp_path, monkeypatch):
    """Small networks, MMPose's too, and generated photographs."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(tmp_path / 'nothing'))
    cfg = load_config(str(ROOT / 'configs/toy/acnn_toy_phase3.py'), None, FAST_TRAINING)
    cfg.train_dataloader.batch_size = 2
    get_config = setup_module.get_config

    def get_small_config(name):
        mmpose = get_config(name)
        mmpose.model.backbone.update(
            downsample_times=1, stage_channels=(256, 16), stage_blocks=(1, 1), feat_channel=16
        )
        mmpose.model.head.in_channels = 16
        return mmpose

    monkeypatch.setattr(setup_module, 'get_config', get_small_config)
    return make_setup(cfg, 'cpu', [1, 3], str(tmp_path))

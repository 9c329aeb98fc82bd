"""What the tools' table of bad configs (tests/test_errors.py) does not reach."""

from __future__ import annotations

from acnn_mmpose import engine
from acnn_mmpose.engine.config_check import check_config

import pytest
import torch


@pytest.mark.parametrize('path', ['acnn_phase1', 'acnn_phase2', 'acnn_phase3', 'hourglass'])
@pytest.mark.parametrize('folder', ['configs', 'configs/toy'])
def test_our_configs_pass(root, folder, path):
    cfg = engine.load_config(str(root / folder / f'{path}.py'))
    assert cfg.model.type == 'ACNN'


def test_the_check_leaves_config_and_random_numbers_alone(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_phase1.py'))
    before, state = cfg.pretty_text, torch.get_rng_state()
    check_config(cfg)
    assert cfg.pretty_text == before
    assert torch.equal(torch.get_rng_state(), state)
    assert engine.load_config(str(root / 'configs/toy/acnn_phase1.py')).pretty_text == before


def test_sections_may_be_missing(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_phase1.py'))
    for name in ('train_dataloader', 'val_dataloader', 'train_cfg', 'optim_wrapper'):
        cfg[name] = None
    cfg.pop('test_dataloader')
    check_config(cfg)


def test_models_of_other_kinds_pass(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_phase1.py'))
    cfg.model = dict(
        type='TopdownPoseEstimator',
        backbone=dict(type='ResNet', depth=18),
        head=dict(type='HeatmapHead', in_channels=512, out_channels=16, decoder=cfg.codec),
    )
    check_config(cfg)

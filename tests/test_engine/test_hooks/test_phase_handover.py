"""No phase starts from the wrong weights."""

from __future__ import annotations

import copy

from acnn_mmpose.engine import load_config
from acnn_mmpose.engine.hooks import PhaseHandoverHook
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import MASK_BRANCHES

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.runner import Runner

from tests.conftest import edit, toy_phase


def test_phases_hand_over_their_weights(trained):
    weights = {phase: torch.load(path)['state_dict'] for phase, path in trained.items()}
    for key, value in weights['pose'].items():
        if not key.startswith(MASK_BRANCHES):
            assert torch.equal(value, weights['attention'][key]), key
    moved = [
        k for k in weights['joint'] if not torch.equal(weights['joint'][k], weights['attention'][k])
    ]
    assert any(key.startswith(MASK_BRANCHES) for key in moved)
    assert any(key.startswith('backbone.thetas.') for key in moved)


def test_checkpoints_name_their_phase(trained):
    for phase, path in trained.items():
        assert torch.load(path)['meta']['acnn_phase'] == phase


@pytest.mark.parametrize(('number', 'previous'), [(2, 'pose'), (3, 'attention')])
def test_a_later_phase_without_a_checkpoint_stops(toy_config, number, previous):
    with pytest.raises(ACNNError, match=f'last checkpoint of phase {previous!r}.*load_from='):
        Runner.from_cfg(toy_config(number)).train()


def test_hooks_of_ones_own_leave_the_protection_in_place(root, toy_root, tmp_path, monkeypatch):
    """MMEngine merges ``default_hooks`` by name, and replaces ``custom_hooks``."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))
    path = tmp_path / 'config.py'
    path.write_text(
        f"_base_ = ['{root}/configs/toy/acnn_toy_phase2.py']\n"
        "custom_hooks = [dict(type='EMAHook', momentum=0.1)]\n"
    )
    cfg = load_config(str(path), str(tmp_path / 'work'))
    with pytest.raises(ACNNError, match="last checkpoint of phase 'pose'"):
        Runner.from_cfg(cfg).train()
    usual = {type(hook) for hook in Runner.from_cfg(cfg).hooks} - {EMAHook}
    assert usual == {type(hook) for hook in Runner.from_cfg(toy_phase(2, tmp_path)).hooks}
    cfg = load_config(str(path), str(tmp_path / 'work'), {'default_hooks.phase_handover': None})
    left = {type(hook) for hook in Runner.from_cfg(cfg).hooks}
    assert usual - left == {PhaseHandoverHook}


@pytest.mark.parametrize(('number', 'given'), [(2, 'joint'), (3, 'pose'), (1, 'attention')])
def test_a_checkpoint_of_another_phase_stops(toy_config, trained, number, given):
    cfg = toy_config(number, load_from=str(trained[given]))
    with pytest.raises(ACNNError, match=f'holds phase {given!r}, but to start phase'):
        Runner.from_cfg(cfg).train()


def test_the_previous_phase_is_never_resumed(toy_config, trained):
    cfg = toy_config(2, load_from=str(trained['pose']), resume=True)
    with pytest.raises(ACNNError, match="holds phase 'pose', but to resume phase 'attention'"):
        Runner.from_cfg(cfg).train()


@pytest.mark.parametrize(
    ('option', 'value', 'culprit'),
    [
        ('model.backbone.num_stages', 3, 'missing: backbone.thetas.2'),
        ('model.backbone.depth', 2, 'unexpected: backbone.thetas.0'),
        ('model.head.out_channels', 14, r'shape: head.* is \(16, 16, 1, 1\) instead of \(14, 16'),
    ],
)
def test_a_checkpoint_of_another_architecture_stops(toy_config, trained, option, value, culprit):
    options = {'load_from': str(trained['pose']), option: value}
    if option == 'model.backbone.num_stages':
        options['model.head.num_stages'] = value
    with pytest.raises(ACNNError, match=f'epoch_2.pth does not fit the model: .*{culprit}'):
        Runner.from_cfg(toy_config(2, **options)).train()


def test_a_checkpoint_with_a_missing_key_stops(toy_config, trained, tmp_path):
    key = 'head.multi_final_layers.0.bias'
    file = edit(trained['pose'], tmp_path / 'x.pth', lambda c: c['state_dict'].pop(key))
    with pytest.raises(ACNNError, match=f'missing: {key}; to start .* of phase .pose.'):
        Runner.from_cfg(toy_config(2, load_from=file)).train()


def test_mask_branches_may_be_missing_for_phase_2_only(toy_config, trained, tmp_path):
    def without_masks(checkpoint):
        for key in [k for k in checkpoint['state_dict'] if k.startswith(MASK_BRANCHES)]:
            del checkpoint['state_dict'][key]

    file = edit(trained['pose'], tmp_path / 'pose.pth', without_masks)
    Runner.from_cfg(toy_config(2, load_from=file, **{'train_cfg.max_epochs': 1})).train()
    file = edit(trained['attention'], tmp_path / 'attention.pth', without_masks)
    with pytest.raises(ACNNError, match=f'missing: {MASK_BRANCHES}'):
        Runner.from_cfg(toy_config(3, load_from=file)).train()


def test_phase_2_starts_its_masks_as_its_own_config_says(toy_config, trained):
    """The mask branches in a checkpoint of phase 1 were never trained."""
    cfg = toy_config(
        2, load_from=str(trained['pose']), **{'model.backbone.mask_branch.init_bias': 0.5}
    )
    cfg.optim_wrapper.optimizer.lr = 0.0
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.model.backbone.mask_branches[0].logit.bias.item() == 0.5


def test_masks_must_mean_in_a_test_what_they_meant_in_training(toy_config, trained):
    with pytest.raises(ACNNError, match="to test phase 'joint' a checkpoint of phase"):
        Runner.from_cfg(toy_config(3, load_from=str(trained['pose']))).test()
    metrics = Runner.from_cfg(toy_config(3, load_from=str(trained['attention']))).test()
    assert 0 <= metrics['PCK'] <= 100


def test_weights_without_a_phase_can_start_but_not_resume(toy_config, trained, tmp_path):
    file = edit(trained['pose'], tmp_path / 'x.pth', lambda c: c['meta'].pop('acnn_phase'))
    Runner.from_cfg(toy_config(2, load_from=file, **{'train_cfg.max_epochs': 1})).train()
    with pytest.raises(ACNNError, match='holds no phase of this package, but to resume'):
        Runner.from_cfg(toy_config(1, load_from=file, resume=True)).train()


def test_a_model_of_another_type_is_named(toy_config):
    cfg = toy_config(1)
    cfg.model = copy.deepcopy(cfg.model)
    cfg.model.type = 'TopdownPoseEstimator'
    del cfg.model['phase']
    with pytest.raises(ACNNError, match=r'TopdownPoseEstimator.*set phase_handover, .* to None'):
        Runner.from_cfg(cfg).train()


def test_masks_are_tested_with_what_they_were_trained_with(toy_config, trained):
    soft = {'load_from': str(trained['joint']), 'model.backbone.mask_mode': 'soft'}
    with pytest.raises(ACNNError, match="with mask_mode 'hard' .*mask_mode=hard"):
        Runner.from_cfg(toy_config(3, **soft)).test()


@pytest.mark.parametrize('content', [b'', b'text', b'cut'])
def test_a_damaged_checkpoint_is_named(toy_config, trained, tmp_path, content):
    file = tmp_path / 'damaged.pth'
    whole = trained['pose'].read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == b'cut' else content)
    with pytest.raises(ACNNError, match=r'damaged.pth is (damaged|not a checkpoint)'):
        Runner.from_cfg(toy_config(2, load_from=str(file))).train()


def test_a_checkpoint_that_is_not_there_is_named(toy_config):
    with pytest.raises(ACNNError, match='checkpoint nowhere.pth does not exist'):
        Runner.from_cfg(toy_config(2, load_from='nowhere.pth')).train()


def test_a_checkpoint_of_another_optimizer_is_not_resumed(toy_config, trained, tmp_path):
    def with_another_group(checkpoint):
        checkpoint['optimizer']['param_groups'] *= 2

    file = edit(trained['pose'], tmp_path / 'x.pth', with_another_group)
    with pytest.raises(ACNNError, match=r'x.pth can not be resumed .*same optimizer and schedule'):
        Runner.from_cfg(toy_config(1, load_from=file, resume=True)).train()

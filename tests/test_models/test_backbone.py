from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import AttentionHourglassNet

import pytest
import torch


def small(**kwargs) -> AttentionHourglassNet:
    return AttentionHourglassNet(**{'num_stages': 2, 'channels': 8, 'depth': 2, **kwargs})


@pytest.mark.parametrize(('height', 'width'), [(16, 16), (32, 48), (64, 32)])
def test_every_fitting_input_size(height, width):
    stages = small()(torch.randn(2, 3, height, width))
    for stage in stages:
        assert stage.feature.shape == (2, 8, height // 4, width // 4)
    assert stages[0].mask.shape == (2, 1, height // 4, width // 4)
    assert stages[1].mask is None


@pytest.mark.parametrize(('height', 'width'), [(24, 32), (32, 40), (31, 32), (8, 8)])
def test_an_input_that_the_hourglass_can_not_halve_is_refused(height, width):
    with pytest.raises(ACNNError, match=rf'{width}x{height} pixels.*multiples of 16'):
        small()(torch.randn(1, 3, height, width))


@pytest.mark.parametrize(
    ('argument', 'value'),
    [
        ('mask_mode', 'binary'),
        ('num_stages', 0),
        ('depth', 0),
        ('channels', 6),
        ('channels', 0),
        ('mask_stride', 3),
        ('mask_stride', 8),
        ('reinjected_heatmaps', -1),
    ],
)
def test_bad_arguments_are_named(argument, value):
    with pytest.raises(ACNNError, match=argument):
        small(**{argument: value})


def test_ones_has_no_mask_branches_and_the_same_weights_otherwise():
    plain, attentive = small(mask_mode='ones').state_dict(), small().state_dict()
    extra = set(attentive) - set(plain)
    assert set(plain) < set(attentive)
    assert all(key.startswith('mask_branches.') for key in extra)


def test_bypassed_masks_do_not_run():
    net = small()
    net.mask_branches[0].forward = None  # calling it would fail
    net.bypass_masks = True
    assert all(stage.mask is None for stage in net(torch.randn(1, 3, 32, 32)))


def test_options_of_masks_reach_every_branch():
    options = dict(threshold=0.6, temperature=2.0, noise=1.0, stride=2)
    net = small(num_stages=3, **{f'mask_{name}': value for name, value in options.items()})
    for branch in net.mask_branches:
        assert {name: getattr(branch, name) for name in options} == options


@pytest.mark.parametrize('detached', [False, True])
def test_gradients_of_masks_reach_task_a_unless_detached(detached):
    net = small(num_stages=2, detached_masks=detached)
    torch.nn.init.normal_(net.mask_branches[0].logit.weight)  # zero weights pass no gradient
    first, _ = net(torch.randn(2, 3, 32, 32))
    first.mask.sum().backward()
    assert net.mask_branches[0].hidden[0].weight.grad.abs().sum() > 0
    stem = net.stem[0][0].weight.grad
    assert stem is None if detached else stem.abs().sum() > 0


@torch.no_grad()
def test_reinjection_adds_the_heatmaps_to_what_a_stage_hands_on(build_model):
    model = build_model('joint', num_stages=2, reinjected_heatmaps=16).eval()
    inputs = []
    model.backbone.thetas[1].register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    first, _ = model.backbone(torch.randn(2, 3, 32, 32))
    heatmap = model.head.multi_final_layers[0](first.feature)  # H(1), before Eq. 4
    added = model.backbone.reinjections[0](heatmap)
    assert added.abs().max() > 0
    torch.testing.assert_close(inputs[0], (first.feature + added) * first.mask)


def test_reinjection_is_trained_and_changes_no_keys_unless_on(build_model, batch):
    model, plain = build_model('joint', reinjected_heatmaps=16), build_model('joint')
    extra = set(model.state_dict()) - set(plain.state_dict())
    assert set(plain.state_dict()) < set(model.state_dict())
    assert all(key.startswith('backbone.reinjections.') for key in extra)
    losses = model.loss(**model.data_preprocessor(batch, training=True))
    losses['loss_kpt'].backward()
    assert all(p.grad is not None for p in model.backbone.reinjections.parameters())

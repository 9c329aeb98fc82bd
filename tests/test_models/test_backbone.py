from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import AttentionHourglassNet, MaskBranch

import pytest
import torch
from mmpose.registry import MODELS


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
        ('reinjection', -1),
        ('stem_widths', [4, 8]),
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
    net = small(num_stages=3, mask_mode='soft', mask_branch=dict(init_bias=-1.0))
    for branch in net.mask_branches:
        assert isinstance(branch, MaskBranch)
        assert branch.mode == 'soft'
        assert branch.logit.bias.item() == -1


def test_mask_branches_come_from_the_registry():
    @MODELS.register_module(force=True)
    class ClosedBranch(MaskBranch):
        def forward(self, y):
            return torch.zeros_like(y[:, :1])

    first, _ = small(mask_branch=dict(type='ClosedBranch'))(torch.randn(1, 3, 32, 32))
    assert first.mask.sum() == 0


@torch.no_grad()
def test_reinjection_is_newells_base_network_times_the_mask(build_model):
    model = build_model(num_stages=2, reinjection=16).eval()
    net, seen = model.backbone, []
    for theta in net.thetas:
        theta.register_forward_hook(lambda _, args, y: seen.append((args[0], y)))
    first, _ = net(torch.randn(2, 3, 32, 32))
    (x, y), (following, _) = seen
    feature = net.projections[0](y)
    heatmaps = model.head.multi_final_layers[0](feature)  # H(1), before Eq. 4
    handed_on = x + net.feature_merges[0](feature) + net.heatmap_merges[0](heatmaps)
    torch.testing.assert_close(first.feature, feature)
    assert torch.equal(first.mask, net.mask_branches[0](y))
    assert 0 < first.mask.mean() < 1
    torch.testing.assert_close(following, handed_on * first.mask)


def test_reinjection_trains_and_the_papers_network_has_none_of_it(build_model, batch):
    model = build_model('joint', reinjection=16)
    extra = set(model.state_dict()) - set(build_model('joint').state_dict())
    assert all('_merges.' in key or key.endswith('branch.2.2.bias') for key in extra)
    losses = model.loss(**model.data_preprocessor(batch, training=True))
    losses['loss_kpt'].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_other_heatmaps_than_the_heads_can_not_be_reinjected(build_model):
    with pytest.raises(ACNNError, match='re-injects 17 heatmaps, but the head makes 16: set'):
        build_model('pose', reinjection=17)

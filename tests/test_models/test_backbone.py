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

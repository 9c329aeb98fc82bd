from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import CoverageLoss, find_background

import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS


@pytest.fixture
def targets():
    """Two people on 6 x 8 cells: one with two joints, one without any."""
    heatmaps = torch.zeros(2, 3, 6, 8)
    heatmaps[0, 0, 1, 5] = 0.1
    heatmaps[0, 2, 4, 2] = 1.0
    return heatmaps


def test_background_is_what_lies_outside_the_box_of_the_joints(targets):
    background = find_background(targets)
    assert background.shape == (2, 1, 6, 8)
    for v in range(6):
        for u in range(8):
            assert background[0, 0, v, u] == (not (1 <= v <= 4 and 2 <= u <= 5))
    assert not background[1].any()


def test_a_gaussian_that_never_ends_leaves_a_background():
    codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(32, 32), sigma=1)
    joints, visible = np.full((1, 1, 2), 32.0, np.float32), np.ones((1, 1), np.float32)
    shares = []
    for unbiased in (False, True):
        encoded = KEYPOINT_CODECS.build({**codec, 'unbiased': unbiased}).encode(joints, visible)
        shares.append(find_background(torch.from_numpy(encoded['heatmaps'])[None]).float().mean())
    assert shares[0] == 1 - (7 / 32) ** 2  # three sigma to either side
    assert shares[1] == 1 - (9 / 32) ** 2


def test_linear_hinge_and_background(targets):
    masks = torch.zeros(2, 2, 6, 8)
    masks[0, 0, 0] = 1  # 8 of 96 cells, all of them among the 32 of the background
    masks[:, 1] = 1
    kept = torch.tensor([8 / 96, 1.0])
    expected = {
        CoverageLoss(weight=2.0): 2 * kept.sum(),
        CoverageLoss(weight=2.0, target=0.4): torch.tensor(2 * 0.6),
        CoverageLoss(weight=2.0, background_only=True): torch.tensor(2 * (8 / 32 + 1)),
    }
    for loss, value in expected.items():
        torch.testing.assert_close(loss(masks, targets), value)


def test_gradient_presses_on_what_is_counted_alone(targets):
    masks = torch.ones(2, 1, 6, 8, requires_grad=True)
    CoverageLoss(weight=1.0, background_only=True)(masks, targets).backward()
    assert torch.equal(masks.grad > 0, find_background(targets))


def literal_loss(masks, targets, weight, target, joint_weight):
    """The loss, cell by cell."""
    total = 0
    people, count, height, width = masks.shape
    for i in range(count):
        kept = joints = missed = 0
        for n in range(people):
            for v in range(height):
                for u in range(width):
                    kept = kept + masks[n, i, v, u]
                    joint = sum(float(heatmap[v, u]) for heatmap in targets[n])
                    joints = joints + joint
                    missed = missed + joint * (1 - masks[n, i, v, u])
        share = kept / (people * height * width)
        total = total + weight * max(share - target, 0 * share) + joint_weight * missed / joints
    return total


@pytest.mark.parametrize('joints', [1, 3])
@pytest.mark.parametrize('target', [0.0, 0.45, 0.7])
def test_joint_loss_and_its_gradient_are_those_of_a_literal_loop(targets, target, joints):
    torch.manual_seed(0)
    masks = torch.rand(2, 2, 6, 8, requires_grad=True)
    targets = targets[:, :joints]
    options = dict(weight=0.5, target=target, joint_weight=0.1)
    values = CoverageLoss(**options)(masks, targets), literal_loss(masks, targets, **options)
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*(torch.autograd.grad(value, masks)[0] for value in values))


def test_within_the_budget_joints_alone_count_and_beyond_it_they_still_win(targets):
    masks = torch.full((2, 1, 6, 8), 0.2, requires_grad=True)
    joints = (targets > 0).any(dim=1, keepdim=True)
    loss = CoverageLoss(weight=0.5, target=0.3, joint_weight=0.1)
    (within,) = torch.autograd.grad(loss(masks, targets), masks)
    assert torch.equal(within < 0, joints)
    assert not within[~joints].any()
    (beyond,) = torch.autograd.grad(loss(masks + 0.2, targets), masks)
    assert torch.equal(beyond < 0, joints)
    assert (beyond[~joints] > 0).all()


def test_without_any_label_nothing_is_missed():
    masks = torch.full((2, 3, 6, 8), 0.4, requires_grad=True)
    loss = CoverageLoss(weight=0.5, target=0.5, joint_weight=0.1)(masks, torch.zeros(2, 4, 6, 8))
    loss.backward()
    assert loss == 0
    assert not masks.grad.any()


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_masks_of_lower_precision_are_counted_in_float32(dtype):
    masks = (torch.rand(4, 1, 64, 64) > 0.5).to(dtype)  # half of them can't be counted in bfloat16
    targets = torch.rand(4, 16, 64, 64)
    loss = CoverageLoss(weight=1.0, joint_weight=1.0)
    with torch.autocast('cpu', torch.bfloat16):
        value = loss(masks, targets)
    torch.testing.assert_close(value, loss(masks.float(), targets))


@pytest.mark.parametrize('argument', [dict(weight=0), dict(target=1), dict(joint_weight=-1)])
def test_arguments_out_of_range_are_refused(argument):
    with pytest.raises(ACNNError, match='a weight > 0, a target share in .* and a joint_weight >='):
        CoverageLoss(**{'weight': 1, **argument})

from __future__ import annotations

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import CoverageLoss, find_background

import pytest
import torch


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


@pytest.mark.parametrize('argument', [dict(weight=0), dict(weight=1, target=1)])
def test_arguments_out_of_range_are_refused(argument):
    with pytest.raises(ACNNError, match='weight > 0 and a target share in'):
        CoverageLoss(**argument)

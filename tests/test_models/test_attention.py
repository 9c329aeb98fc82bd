from __future__ import annotations

from acnn_mmpose.models.attention import MaskBranch, binarise

import pytest
import torch


def test_binarise_is_exactly_zero_or_one():
    probability = torch.rand(1000, requires_grad=True)
    binary = binarise(probability)
    assert set(binary.tolist()) == {0.0, 1.0}
    assert torch.equal(binary == 1, probability > 0.5)


def test_binarise_passes_the_gradient_of_the_sigmoid():
    logit = torch.linspace(-4, 4, 33, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(33, dtype=torch.float64)
    (binarise(torch.sigmoid(logit)) * weight).sum().backward()
    sigmoid = 1 / (1 + torch.exp(-logit.detach()))
    torch.testing.assert_close(logit.grad, weight * sigmoid * (1 - sigmoid))


def test_binarise_at_the_threshold_discards():
    assert binarise(torch.tensor([0.5])).item() == 0


def test_hard_masks_start_as_all_ones():
    mask = MaskBranch(16, 'hard')(torch.randn(2, 16, 8, 8) * 100)
    assert mask.shape == (2, 1, 8, 8)
    assert torch.equal(mask, torch.ones_like(mask))


def test_masks_start_with_zero_weights():
    """So that a mask is the same everywhere, whatever the image, until training makes it differ."""
    branch = MaskBranch(16)
    assert not branch.logit.weight.any()
    assert branch.logit.bias.item() == 2.0


def test_soft_masks_start_at_the_sigmoid_of_the_bias():
    mask = MaskBranch(16, 'soft', init_bias=1.0)(torch.randn(2, 16, 8, 8))
    torch.testing.assert_close(mask, torch.full_like(mask, torch.sigmoid(torch.tensor(1.0)).item()))


def test_first_step_reaches_the_hidden_layer_after_the_last():
    """Zero weights block the gradient of the hidden layer for one step only."""
    branch = MaskBranch(16)
    optimizer = torch.optim.RMSprop(branch.parameters(), lr=2.5e-4)
    y = torch.randn(4, 16, 8, 8)
    for step in range(2):
        optimizer.zero_grad()
        (branch(y) * torch.randn(4, 1, 8, 8)).sum().backward()
        moved = branch.hidden[0].weight.grad.abs().sum() > 0
        assert moved == (step == 1)
        optimizer.step()


@pytest.mark.parametrize('detached', [False, True])
def test_gradients_of_masks_reach_y_unless_detached(detached):
    branch = MaskBranch(16, detached=detached)
    torch.nn.init.normal_(branch.logit.weight)  # zero weights pass no gradient
    y = torch.randn(2, 16, 8, 8, requires_grad=True)
    branch(y).sum().backward()
    assert branch.hidden[0].weight.grad.abs().sum() > 0
    assert (y.grad is None) == detached

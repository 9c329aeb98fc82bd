from __future__ import annotations

from acnn_mmpose.errors import ACNNError
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


def test_soft_masks_start_at_the_sigmoid_of_the_bias():
    mask = MaskBranch(16, 'soft', initial_bias=1.0)(torch.randn(2, 16, 8, 8))
    torch.testing.assert_close(mask, torch.full_like(mask, torch.sigmoid(torch.tensor(1.0)).item()))


def test_threshold_moves_the_border():
    probability = torch.tensor([0.6, 0.7, 0.81])
    assert binarise(probability, 0.8).tolist() == [0, 0, 1]
    y = torch.randn(1, 16, 4, 4)
    kept = [MaskBranch(16, threshold=t)(y).mean().item() for t in (0.87, 0.89)]
    assert kept == [1, 0]  # sigmoid(2) = 0.88


def test_temperature_divides_the_logit():
    mask = MaskBranch(16, 'soft', initial_bias=3.0, temperature=2.0)(torch.randn(1, 16, 4, 4))
    expected = torch.sigmoid(torch.tensor(1.5)).item()
    torch.testing.assert_close(mask, torch.full_like(mask, expected))


def test_noise_opens_closed_cells_under_mixed_precision_too():
    branch = MaskBranch(16, initial_bias=-6.0, noise=1.0)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mask = branch(torch.randn(4, 16, 256, 256))
    expected = torch.sigmoid(torch.tensor(-6.0)).item()  # 0.0025: about 650 of 262,144 cells
    assert mask.float().mean().item() == pytest.approx(expected, rel=0.3)


def test_noise_samples_hard_masks_in_training_only():
    branch = MaskBranch(16, initial_bias=1.0, noise=1.0)
    y = torch.zeros(8, 16, 50, 50)
    sample = branch(y)
    assert set(sample.unique().tolist()) == {0.0, 1.0}
    assert abs(sample.mean() - torch.sigmoid(torch.tensor(1.0))) < 0.01  # 20,000 samples
    assert torch.equal(branch.eval()(y), torch.ones_like(sample))


def test_stride_gives_neighbours_one_value():
    torch.manual_seed(0)
    coarse, fine = MaskBranch(16, stride=4).eval(), MaskBranch(16).eval()
    torch.nn.init.normal_(coarse.logit.weight)
    torch.nn.init.zeros_(coarse.logit.bias)
    fine.load_state_dict(coarse.state_dict())
    y = torch.randn(2, 16, 8, 12)
    blocks = fine(y.unflatten(2, (2, 4)).unflatten(4, (3, 4)).mean(dim=(3, 5)))
    assert 0 < blocks.mean() < 1
    expected = blocks.repeat_interleave(4, dim=2).repeat_interleave(4, dim=3)
    assert torch.equal(coarse(y), expected)


@pytest.mark.parametrize(
    'argument', [dict(threshold=1), dict(temperature=0), dict(noise=-1), dict(stride=0)]
)
def test_arguments_out_of_range_are_refused(argument):
    with pytest.raises(ACNNError, match=rf'{next(iter(argument))}={next(iter(argument.values()))}'):
        MaskBranch(16, **argument)


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

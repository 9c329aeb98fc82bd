"""How large the network is and how much it computes."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from ..models import ACNN, MASK_BRANCHES


class Complexity(NamedTuple):
    """Size and work of a network, per image and forward pass without flip test.

    Attributes:
        parameters: Number of parameters.
        mask_parameters: Those of the mask branches among them.
        flops: Floating-point operations of convolutions, a multiply-add counted as two.
        mask_flops: Those of the mask branches among them; 0 in phase ``'pose'``.
    """

    parameters: int
    mask_parameters: int
    flops: int
    mask_flops: int


def measure_complexity(model: ACNN, input_size: tuple[int, int]) -> Complexity:
    """Count parameters and operations.

    Args:
        model: The network.
        input_size: Width and height of the input, in pixels.
    """
    width, height = input_size
    image = torch.zeros(1, 3, height, width, device=next(model.parameters()).device)
    was_training = model.training
    model.eval()
    with torch.no_grad(), FlopCounterMode(model, display=False) as counter:
        model(image, None, mode='tensor')
    model.train(was_training)
    per_module = counter.get_flop_counts()
    mask_flops = sum(
        sum(counts.values())
        for name, counts in per_module.items()
        if f'{name.rpartition(".")[0]}.'.endswith(MASK_BRANCHES)
    )
    return Complexity(
        parameters=sum(p.numel() for p in model.parameters()),
        mask_parameters=sum(p.numel() for p in model.backbone.mask_branches.parameters()),
        flops=counter.get_total_flops(),
        mask_flops=mask_flops,
    )

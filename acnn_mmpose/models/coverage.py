"""How much of an image the masks keep: where its background is, and a loss on what is kept.

Shape legend: N batch, K joints, S stages, h x w heatmap.
"""

from __future__ import annotations

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..errors import ACNNError


def find_background(targets: Tensor) -> Tensor:
    """Find the cells outside the person's box.

    The box is the smallest one that holds the heatmaps of all labelled joints, that is, the box
    around the joints with a margin of the Gaussian's radius (three sigma). Limbs lie inside; what
    is outside is background, but for hands, feet and hair that reach further than the margin.

    Args:
        targets: Ground-truth heatmaps (N, K, h, w), zero for joints that are not labelled.

    Returns:
        (N, 1, h, w) bool. A person without labelled joints has no background: nobody knows it.
    """
    joints = (targets > 0).any(dim=1)
    rows, columns = _span(joints.any(dim=2)), _span(joints.any(dim=1))
    box = rows[:, :, None] & columns[:, None, :]
    return (~box & joints.any(dim=2).any(dim=1)[:, None, None])[:, None]


def _span(hits: Tensor) -> Tensor:
    """Fill (N, n) bool between the first and the last hit."""
    count = hits.int()
    return (count.cumsum(dim=1) > 0) & (count.flip(1).cumsum(dim=1).flip(1) > 0)


@MODELS.register_module()
class CoverageLoss(nn.Module):
    """A price on what masks keep beyond a target share; the paper has none.

    The loss is ``weight`` times the sum over the masks of relu(share kept - ``target``), the share
    being taken over the batch. A target of 0 makes it linear.

    Args:
        weight: > 0. The mean squared error of one stage is about 0.005.
        target: The share that costs nothing, in [0, 1).
        background_only: Count only cells outside the person's box (:func:`find_background`).

    Raises:
        ACNNError: If an argument is out of its range.
    """

    def __init__(self, weight: float, target: float = 0.0, background_only: bool = False) -> None:
        super().__init__()
        if weight <= 0 or not 0 <= target < 1:
            raise ACNNError(
                'the coverage loss needs a weight > 0 and a target share in [0, 1), but got '
                f'{weight=}, {target=}'
            )
        self.weight = weight
        self.target = target
        self.background_only = background_only

    def forward(self, masks: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            masks: M(1) to M(S-1), (N, S - 1, h, w) in [0, 1].
            targets: Ground-truth heatmaps (N, K, h, w).
        """
        counted = torch.ones_like(masks[:, :1], dtype=torch.float32)
        if self.background_only:
            counted = find_background(targets).to(counted)
        kept = (masks.float() * counted).sum(dim=(0, 2, 3)) / counted.sum().clamp(min=1)
        return self.weight * torch.relu(kept - self.target).sum()

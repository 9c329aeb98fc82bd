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
    # a corner of what three sigma draw is exp(-9); a codec may draw all of a Gaussian instead
    joints = (targets > 1e-4).any(dim=1)
    rows, columns = _span(joints.any(dim=2)), _span(joints.any(dim=1))
    box = rows[:, :, None] & columns[:, None, :]
    return (~box & joints.any(dim=2).any(dim=1)[:, None, None])[:, None]


def _span(hits: Tensor) -> Tensor:
    """Fill (N, n) bool between the first and the last hit."""
    count = hits.int()
    return (count.cumsum(dim=1) > 0) & (count.flip(1).cumsum(dim=1).flip(1) > 0)


def share_kept(masks: Tensor, counted: Tensor) -> Tensor:
    """Compute which share of something each mask keeps, over the batch.

    Args:
        masks: (N, S - 1, h, w) in [0, 1].
        counted: How much of it lies in which cell, (N, 1, h, w) >= 0.

    Returns:
        (S - 1,), float32 in [0, 1]; 0 where there is nothing to keep.
    """
    counted = counted.float()
    return (masks.float() * counted).sum(dim=(0, 2, 3)) / counted.sum().clamp(min=1e-12)


@MODELS.register_module()
class CoverageLoss(nn.Module):
    """A price on what masks keep beyond a budget, and on joints that they discard.

    The paper has none. Over the masks i, with every share taken over the batch, the loss is the sum
    of ``weight`` * relu(share(i) - ``target``) + ``joint_weight`` * missed(i), missed(i) being the
    share of the joints' ground-truth heatmaps that lies in discarded cells. With both weights a
    mask keeps the ``target`` share of the map where joints most probably are: annotations say what
    to keep as in RegionDrop (ICANN 2022), a hinge on the share what it may cost as in DynConv
    (CVPR 2020). Joints without a label are not missed; a person without any counts in the share.

    Args:
        weight: > 0. The mean squared error of one stage is about 0.005.
        target: The share that costs nothing, in [0, 1).
        background_only: Count only cells outside the person's box (:func:`find_background`).
        joint_weight: >= 0. Beyond the budget, cells are worth keeping in which joints lie more
            often than in the average cell by the factor ``weight / joint_weight``, at least: 5 is
            a good one.

    Raises:
        ACNNError: If an argument is out of its range.
    """

    def __init__(
        self,
        weight: float,
        target: float = 0.0,
        background_only: bool = False,
        joint_weight: float = 0.0,
    ) -> None:
        super().__init__()
        if weight <= 0 or not 0 <= target < 1 or joint_weight < 0:
            raise ACNNError(
                'the coverage loss needs a weight > 0, a target share in [0, 1) and a joint_weight '
                f'>= 0, but got {weight=}, {target=}, {joint_weight=}'
            )
        self.weight = weight
        self.target = target
        self.background_only = background_only
        self.joint_weight = joint_weight

    def forward(self, masks: Tensor, targets: Tensor) -> Tensor:
        """Compute the loss.

        Args:
            masks: M(1) to M(S-1), (N, S - 1, h, w) in [0, 1].
            targets: Ground-truth heatmaps (N, K, h, w), zero for joints that are not labelled.
        """
        joints = targets.sum(dim=1, keepdim=True)
        counted = find_background(targets) if self.background_only else torch.ones_like(joints)
        excess = torch.relu(share_kept(masks, counted) - self.target)
        missed = share_kept(1 - masks, joints)
        return (self.weight * excess + self.joint_weight * missed).sum()

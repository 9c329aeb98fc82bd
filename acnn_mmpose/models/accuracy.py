"""How often a heatmap's peak is near its target's, computed where the heatmaps are.

Shape legend: N batch, K joints, h x w heatmap.
"""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def heatmap_accuracy(
    predictions: Tensor, targets: Tensor, visible: Tensor, threshold: float = 0.05
) -> Tensor:
    """Compute the ``acc_pose`` of MMPose's ``pose_pck_accuracy`` without leaving the device.

    MMPose's goes through numpy, for which a GPU has to finish all it was given.

    Args:
        predictions: Heatmaps (N, K, h, w).
        targets: Their targets, same shape.
        visible: Which joints count, (N, K), bool.
        threshold: The largest distance, exclusive, as a share of the heatmap's size.

    Returns:
        The mean over joints of the share of people whose joint is found, a float32 scalar in
        [0, 1]; joints visible in nobody are left out, and without any joint it is 0.
    """
    height, width = predictions.shape[-2:]
    size = predictions.new_tensor([height, width])  # x over height, as in MMPose
    distance = ((_peaks(predictions) - _peaks(targets)) / size).norm(dim=-1)
    people = visible.sum(dim=0)
    found = ((distance < threshold) & visible).sum(dim=0) / people.clamp(min=1)
    return found.sum() / (people > 0).sum().clamp(min=1)


def _peaks(heatmaps: Tensor) -> Tensor:
    """Locate the maxima: (N, K, 2), x and y; -1 where no value is positive."""
    value, index = heatmaps.flatten(2).max(dim=2)
    width = heatmaps.shape[-1]
    peaks = torch.stack([index % width, index.div(width, rounding_mode='floor')], dim=-1)
    return peaks.where(value[..., None] > 0, -torch.ones_like(peaks)).float()

"""Operators of full mmcv in plain torch, for the detectors that people use beside mmcv-lite."""

from __future__ import annotations

from contextlib import suppress

import torch
from torch import Tensor


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Suppress boxes that overlap a better one, as ``mmcv._ext.nms`` does.

    Takes torchvision's operator, which is compiled, where there is one.

    Args:
        boxes: (n, 4), x1, y1, x2, y2, in pixels.
        scores: (n,); of equal ones the first is the better.
        iou_threshold: Boxes of a larger intersection over union are suppressed.
        offset: 1 if x2 and y2 are the last pixels inside a box, 0 if they are its edges.

    Returns:
        Indices of the boxes that stay, the best first.
    """
    with suppress(ImportError):
        from torchvision.ops import nms as compiled_nms

        if offset == 0:
            return compiled_nms(boxes, scores, iou_threshold)
    order, kept = scores.argsort(descending=True, stable=True), []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        overlap = _iou(boxes[best], boxes[order], offset) > iou_threshold  # not where it is NaN
        order = order[~overlap]
    return torch.stack(kept) if kept else order


def _iou(box: Tensor, others: Tensor, offset: int) -> Tensor:
    """Return the intersections over unions (n,) of a box (4,) with others (n, 4)."""
    top_left = torch.maximum(box[:2], others[:, :2])
    bottom_right = torch.minimum(box[2:], others[:, 2:])
    intersection = (bottom_right - top_left + offset).clamp(min=0).prod(-1)
    areas = [(each[..., 2:] - each[..., :2] + offset).prod(-1) for each in (box, others)]
    return intersection / (areas[0] + areas[1] - intersection)

"""Operators of full mmcv in plain torch, for the detectors that people use beside mmcv-lite."""

from __future__ import annotations

import torch
from torch import Tensor

BLOCK = 256  # boxes compared with all others at once; more take more memory


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
    try:
        from torchvision.ops import nms as compiled_nms
    except ImportError:
        compiled_nms = None
    if compiled_nms is not None and offset == 0:
        return compiled_nms(boxes, scores, iou_threshold)

    order = scores.argsort(descending=True, stable=True)
    kept = [order[:0]]
    while len(order):
        block, order = order[:BLOCK], order[BLOCK:]
        overlaps = _iou(boxes[block], boxes[block], offset).triu(1) > iou_threshold
        stays = ~overlaps.any(0)
        while True:  # box i is right after i rounds at most: it depends on the better ones alone
            revised = ~(overlaps & stays[:, None]).any(0)
            if revised.equal(stays):
                break
            stays = revised
        kept.append(block[stays])
        overlaps = _iou(boxes[kept[-1]], boxes[order], offset) > iou_threshold
        order = order[~overlaps.any(0)]
    return torch.cat(kept)


def _iou(first: Tensor, second: Tensor, offset: int) -> Tensor:
    """Return the intersections over unions (n, m) of boxes (n, 4) and (m, 4)."""
    first, second = first[:, None], second[None]
    top_left = torch.maximum(first[..., :2], second[..., :2])
    bottom_right = torch.minimum(first[..., 2:], second[..., 2:])
    intersection = (bottom_right - top_left + offset).clamp(min=0).prod(-1)
    areas = [(boxes[..., 2:] - boxes[..., :2] + offset).prod(-1) for boxes in (first, second)]
    return intersection / (areas[0] + areas[1] - intersection)

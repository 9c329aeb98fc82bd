"""Non-maximum suppression without compiled operators."""

from __future__ import annotations

import sys
from types import SimpleNamespace

from acnn_mmpose import mmcv_ops

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms


@pytest.fixture(autouse=True)
def _without_torchvision(monkeypatch):
    monkeypatch.setitem(sys.modules, 'torchvision.ops', None)


def literal_nms(boxes, scores, threshold, offset=0) -> list[int]:
    """One box after the other, in float32."""
    boxes, kept = boxes.numpy(), []
    for i in np.argsort(-scores.numpy(), kind='stable').tolist():
        for j in kept:
            left, top = np.maximum(boxes[i, :2], boxes[j, :2])
            right, bottom = np.minimum(boxes[i, 2:], boxes[j, 2:])
            shared = max(right - left + offset, 0) * max(bottom - top + offset, 0)
            areas = [np.prod(box[2:] - box[:2] + offset) for box in (boxes[i], boxes[j])]
            union = areas[1] + areas[0] - shared
            if union > 0 and shared / union > threshold:
                break
        else:
            kept.append(i)
    return kept


def random_boxes(number: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes of whole pixels, some without area or equal, and scores with ties."""
    corners = torch.randint(0, 30, (number, 2))
    sizes = torch.randint(0, 12, (number, 2))
    return torch.cat([corners, corners + sizes], 1).float(), torch.randint(0, 9, (number,)) / 9


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.5, 1.0])
@pytest.mark.parametrize('number', [1, 16, 150])
def test_the_same_boxes_stay_as_in_a_literal_loop(number, threshold, offset):
    boxes, scores = random_boxes(number)
    kept = mmcv_ops.nms(boxes, scores, threshold, offset)
    assert kept.tolist() == literal_nms(boxes, scores, threshold, offset)


def test_a_box_stays_if_the_one_that_covers_it_does_not():
    """A chain in which every box overlaps the next one only: every second stays."""
    left = torch.arange(40.0)
    boxes = torch.stack([left, 0 * left, left + 2, 0 * left + 1], 1)
    assert mmcv_ops.nms(boxes, -left, 0.3, 0).tolist() == list(range(0, 40, 2))


def test_no_boxes():
    kept = mmcv_ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5, 0)
    assert (kept.tolist(), kept.dtype) == ([], torch.int64)


@pytest.mark.parametrize('split_thr', [10, 10_000])
def test_boxes_of_other_classes_suppress_nothing(split_thr):
    boxes, _ = random_boxes(120)
    scores, classes = torch.rand(120), torch.randint(0, 3, (120,))
    wanted = []
    for number in range(3):
        (members,) = torch.nonzero(classes == number, as_tuple=True)
        wanted += members[literal_nms(boxes[members], scores[members], 0.4)].tolist()
    cfg = dict(type='nms', iou_threshold=0.4, split_thr=split_thr)
    found, kept = batched_nms(boxes, scores, classes, cfg)
    assert kept.tolist() == sorted(wanted, key=lambda index: -scores[index])
    torch.testing.assert_close(found, torch.cat([boxes, scores[:, None]], 1)[kept])


def test_ten_thousand_boxes():
    """5,000 that lie apart, and a worse twin of each."""
    corners = torch.cartesian_prod(torch.arange(50.0), torch.arange(100.0)) * 10
    boxes = torch.cat([corners, corners + 9], 1)
    kept = mmcv_ops.nms(torch.cat([boxes, boxes + 1]), -torch.arange(10_000.0), 0.5, 0)
    assert kept.tolist() == list(range(5_000))


def test_torchvisions_operator_is_taken_where_there_is_one(monkeypatch):
    compiled = SimpleNamespace(nms=lambda *args: args)
    monkeypatch.setitem(sys.modules, 'torchvision.ops', compiled)
    boxes, scores = random_boxes(3)
    assert mmcv_ops.nms(boxes, scores, 0.5, 0) == (boxes, scores, 0.5)
    assert len(mmcv_ops.nms(boxes, scores, 1.0, 1)) == 3  # it has no offset

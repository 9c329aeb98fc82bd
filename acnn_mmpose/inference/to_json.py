"""What was predicted for people, as plain numbers for json."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample


def describe_samples(
    samples: Sequence[PoseDataSample], with_masks: bool = False
) -> list[dict[str, Any]]:
    """Describe the people of data samples, as :func:`describe_people` does."""
    return [p for each in samples for p in describe_people(each.pred_instances, with_masks)]


def describe_people(people: InstanceData, with_masks: bool = False) -> list[dict[str, Any]]:
    """Turn instances into what json can hold.

    Args:
        people: ``pred_instances`` of a data sample, merged or not.
        with_masks: Add the masks, run-length encoded.

    Returns:
        Per person ``bbox`` (x1, y1, x2, y2), ``keypoints`` (K pairs) and ``keypoint_scores``, in
        pixels of the image. With attention also ``coverage``, the share that M(1) to M(S-1)
        keep, and ``crop``, with ``center`` (x, y) and ``scale`` (width, height): cell (column i,
        row j) of an h x w mask lies at ``center + ((i, j) / (w, h) - 0.5) * scale``. With
        ``with_masks`` also ``masks``: per mask COCO's uncompressed run lengths, ``size`` (h, w)
        and ``counts``, the lengths of alternating runs of 0 and 1, first of 0, column by column;
        values of soft masks count as 1 above 0.5.
    """
    described = []
    for i in range(len(people)):
        person = {
            'bbox': people.bboxes[i].tolist(),
            'keypoints': np.asarray(people.keypoints[i]).tolist(),
            'keypoint_scores': np.asarray(people.keypoint_scores[i]).tolist(),
        }
        if 'attention_masks' in people:
            person['coverage'] = people.attention_coverage[i].tolist()
            person['crop'] = {
                'center': people.input_center[i].tolist(),
                'scale': people.input_scale[i].tolist(),
            }
            if with_masks:
                person['masks'] = [_run_lengths(mask > 0.5) for mask in people.attention_masks[i]]
        described.append(person)
    return described


def _run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """Encode a binary mask (h, w)."""
    values = np.concatenate([[False], mask.flatten(order='F')])  # the first run is of zeros
    starts = np.flatnonzero(values[1:] != values[:-1])
    edges = np.concatenate([[0], starts, [mask.size]])
    return {'size': list(mask.shape), 'counts': np.diff(edges).tolist()}

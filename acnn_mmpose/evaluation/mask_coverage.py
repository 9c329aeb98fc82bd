"""What masks keep of people that were evaluated: joints, background, the whole map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS
from mmpose.structures.bbox import get_warp_matrix

MARGIN = 3  # cells that a Gaussian of sigma 1 reaches beyond its joint


@METRICS.register_module()
class MaskCoverage(BaseMetric):
    """Per mask ``maskI_kept``, ``maskI_joints`` and ``maskI_background``, in percent.

    That is which share it keeps of all cells, of the labelled joints (by the cell that a joint lies
    in; one outside the crop is not counted), and of the cells outside the person's box: the
    smallest around the labelled joints and 3 cells more. Predictions need ``attention_masks``
    (``test_cfg.output_attention``) and crops that are not rotated; without masks there are no
    figures.
    """

    default_prefix = 'attention'

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Count the cells and joints of a batch."""
        for sample in data_samples:
            person, truth = sample['pred_instances'], sample['gt_instances']
            if 'attention_masks' in person:
                masks = np.asarray(person['attention_masks'][0], np.float64)
                joints = truth['keypoints'][0][truth['keypoints_visible'][0].astype(bool)]
                if (self.dataset_meta or {}).get('dataset_name') == 'mpii':
                    joints = joints - 1  # MpiiDataset counts their pixels from 1
                center, scale = person['input_center'][0], person['input_scale'][0]
                self.results.append(count_kept(masks, joints, center, scale))

    def compute_metrics(self, results: list[np.ndarray]) -> dict[str, float]:
        """Average over everybody's cells and joints."""
        if not results:
            return {}
        kept, counted = np.sum(results, axis=0)
        shares = 100 * kept / np.maximum(counted, 1)
        return {
            f'mask{i}_{name}': float(share)
            for i, row in enumerate(shares, start=1)
            for name, share in zip(('kept', 'joints', 'background'), row)
        }


def count_kept(
    masks: np.ndarray, joints: np.ndarray, center: np.ndarray, scale: np.ndarray
) -> np.ndarray:
    """Count what masks keep, and of how much.

    Args:
        masks: (S - 1, h, w) in [0, 1].
        joints: The labelled ones, (n, 2) in pixels of the image.
        center: The crop's center (x, y).
        scale: Its width and height.

    Returns:
        (2, S - 1, 3): kept and counted, of all cells, of joints and of background.
    """
    height, width = masks.shape[1:]
    to_mask = get_warp_matrix(center, scale, 0, (width, height))
    columns, rows = np.rint(joints @ to_mask[:, :2].T + to_mask[:, 2]).astype(int).T
    inside = (columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)
    columns, rows = columns[inside], rows[inside]
    whole, background = np.ones((2, height, width), bool)
    if inside.any():
        low, high = rows.min() - MARGIN, rows.max() + MARGIN + 1
        left, right = columns.min() - MARGIN, columns.max() + MARGIN + 1
        background[max(low, 0) : high, max(left, 0) : right] = False
    at_joints = np.zeros((height, width))
    np.add.at(at_joints, (rows, columns), 1)
    regions = np.stack([whole, at_joints, background]).astype(np.float64)
    kept = np.einsum('mhw,rhw->mr', masks, regions)
    return np.stack([kept, np.broadcast_to(regions.sum(axis=(1, 2)), kept.shape)])

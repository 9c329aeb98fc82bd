"""The story board of one person: how the stages arrived at the pose (Eq. 1 to 5).

Shape legend: K joints, S stages, H x W crop, h x w heatmap.
"""

from __future__ import annotations

import cv2
import numpy as np
from mmengine.structures import InstanceData

from .board import Tile, compose
from .mask_geometry import CropBox, crop_boxes, place_mask
from .paint import draw_moves, overlay_heat, tint_discarded


def tell_story(
    crop: np.ndarray, person: InstanceData, pose: np.ndarray, colours: np.ndarray
) -> np.ndarray:
    """Draw one row per stage: M(i-1), H(i), what is kept of P(i-1), P(i), joints that moved.

    Args:
        crop: (H, W, 3), RGB, uint8.
        person: One person in pixels of the crop, with ``attention_masks`` (1, S - 1, h, w),
            ``stage_heatmaps`` and ``stage_predictions`` (1, S, K, h, w) and ``stage_keypoints``
            (1, S, K, 2).
        pose: The crop with the final pose, (H, W, 3).
        colours: Of the joints, (K, 3), RGB.

    Returns:
        The board, RGB, uint8. A joint has moved if it is more than one heatmap cell from where
        the stage before saw it.
    """
    masks = person.attention_masks[0]
    own = person.stage_heatmaps[0]
    keypoints = np.asarray(person.stage_keypoints[0])
    combined = person.stage_predictions[0]
    peak = max(float(combined[-1].max()), 1e-6)
    (box,) = crop_boxes(person)
    cell = crop.shape[0] / own.shape[-2]

    rows = []
    for i in range(len(own)):
        stage = i + 1
        before = keypoints[max(i - 1, 0)]
        moved = np.linalg.norm(keypoints[i] - before, axis=-1) > cell
        past = combined[i] - own[i]
        rows.append(
            [
                None if i == 0 else _mask_tile(crop, masks[i - 1], i, box),
                Tile(_heat(crop, own[i], box, peak), f'heatmap H({stage})'),
                None if i == 0 else Tile(_heat(crop, past, box, peak), f'kept of P({i})'),
                Tile(_heat(crop, combined[i], box, peak), f'prediction P({stage})'),
                Tile(
                    draw_moves(crop, before, keypoints[i], moved, colours),
                    'joints' if i == 0 else f'joints moved: {moved.sum()}',
                ),
            ]
        )
    ends = [Tile(crop, 'input'), *[None] * (len(rows) - 2), Tile(pose, 'pose')]
    rows += [[None] * 5] * (len(ends) - len(rows))
    return compose([[end, *row] for end, row in zip(ends, rows)], 6)


def _heat(crop: np.ndarray, heatmaps: np.ndarray, box: CropBox, peak: float) -> np.ndarray:
    """Lay the largest of K heatmaps (K, h, w) over the crop."""
    heat = heatmaps.max(axis=0)
    size = crop.shape[1::-1]
    placed = cv2.warpAffine(heat, box.to_image(*heat.shape[::-1]), size, flags=cv2.INTER_LINEAR)
    return overlay_heat(crop, placed, peak)


def _mask_tile(crop: np.ndarray, mask: np.ndarray, stage: int, box: CropBox) -> Tile:
    """Show which regions M(``stage``) hands on."""
    picture = tint_discarded(crop, place_mask(mask, box, crop.shape[:2]))
    return Tile(picture, f'M({stage}): {mask.mean():.0%} kept')

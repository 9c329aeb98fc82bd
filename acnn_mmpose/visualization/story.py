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
    """Draw one row per stage (:func:`lay_out_stage`), between the input and the pose (H, W, 3)."""
    stages = range(1, person.stage_heatmaps.shape[1] + 1)
    rows = [lay_out_stage(crop, person, stage, colours) for stage in stages]
    ends = [Tile(crop, 'input'), *[None] * (len(rows) - 2), Tile(pose, 'pose')]
    rows += [[None] * 5] * (len(ends) - len(rows))
    return compose([[end, *row] for end, row in zip(ends, rows)], 6)


def lay_out_stage(
    crop: np.ndarray, person: InstanceData, stage: int, colours: np.ndarray
) -> list[Tile | None]:
    """Draw stage i of one person: M(i-1), H(i), what is kept of P(i-1), P(i), joints that moved.

    A joint has moved if it is more than one heatmap cell from where the stage before saw it.

    Args:
        crop: (H, W, 3), RGB, uint8.
        person: One person in pixels of the crop, with ``attention_masks`` (1, S - 1, h, w),
            ``stage_heatmaps`` and ``stage_predictions`` (1, S, K, h, w) and ``stage_keypoints``
            (1, S, K, 2).
        stage: i, from 1 to S.
        colours: Of the joints, (K, 3), RGB.
    """
    own, combined = person.stage_heatmaps[0, stage - 1], person.stage_predictions[0, stage - 1]
    peak = max(float(person.stage_predictions[0, -1].max()), 1e-6)
    (box,) = crop_boxes(person)
    after, before = (person.stage_keypoints[0, i] for i in (stage - 1, max(stage - 2, 0)))
    moved = np.linalg.norm(after - before, axis=-1) > crop.shape[0] / own.shape[-2]
    is_first = stage == 1
    mask = None if is_first else person.attention_masks[0, stage - 2]
    return [
        None if mask is None else _mask_tile(crop, mask, stage - 1, box),
        Tile(_heat(crop, own, box, peak), f'heatmap H({stage})'),
        None
        if is_first
        else Tile(_heat(crop, combined - own, box, peak), f'kept of P({stage - 1})'),
        Tile(_heat(crop, combined, box, peak), f'prediction P({stage})'),
        Tile(
            draw_moves(crop, before, after, moved, colours),
            'joints' if is_first else f'joints moved: {moved.sum()}',
        ),
    ]


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

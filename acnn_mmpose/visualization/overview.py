"""One figure for several people: what each stage keeps, as in Fig. 6 of the paper, and the pose.

Shape legend: K joints, S stages, H x W network input, h x w heatmap.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import matplotlib
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS

from ..errors import ACNNError
from ..models import ACNN

TILE_INCHES = 1.8


class PersonView(NamedTuple):
    """One person as the network sees it.

    Attributes:
        crop: Network input (H, W, 3), RGB, uint8.
        keypoints: Predicted joints (K, 2) in pixels of the crop.
        masks: M(1) to M(S-1), (S - 1, h, w) in [0, 1].
        heatmaps: P(S), (K, h, w).
    """

    crop: np.ndarray
    keypoints: np.ndarray
    masks: np.ndarray
    heatmaps: np.ndarray


def view_people(model: ACNN, num_people: int) -> list[PersonView]:
    """Predict a few people of the test set, evenly spread over it.

    Args:
        model: From MMPose's ``init_model``.
        num_people: How many people, >= 1.

    Raises:
        ACNNError: If ``num_people`` is less than 1.
    """
    if num_people < 1:
        raise ACNNError(f'a figure needs at least one person, but got {num_people}')
    dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
    people = np.linspace(0, len(dataset) - 1, min(num_people, len(dataset)), dtype=int)
    batch = pseudo_collate([dataset[int(i)] for i in people])
    test_cfg, model.test_cfg = model.test_cfg, {**model.test_cfg, 'output_heatmaps': True}
    try:
        with torch.no_grad():
            results = model.test_step(batch)
    finally:
        model.test_cfg = test_cfg
    views = []
    for image, result in zip(batch['inputs'], results):
        meta = result.metainfo
        top_left = meta['input_center'] - meta['input_scale'] / 2
        pixels_per_input = meta['input_scale'] / meta['input_size']
        views.append(
            PersonView(
                crop=image.numpy()[::-1].transpose(1, 2, 0),
                keypoints=(result.pred_instances.keypoints[0] - top_left) / pixels_per_input,
                masks=result.pred_fields.attention_masks.cpu().numpy(),
                heatmaps=result.pred_fields.heatmaps.cpu().numpy(),
            )
        )
    return views


def draw_overview(views: Sequence[PersonView], skeleton: Sequence[tuple[int, int]]) -> Figure:
    """Draw one row per person: input, what each mask keeps, heatmaps, pose.

    Args:
        views: The people.
        skeleton: Pairs of joints to connect.

    Returns:
        The figure; discarded regions are black, as in the paper's Fig. 6.
    """
    num_masks = len(views[0].masks)
    titles = [
        'input',
        *(f'kept by $M^{{({i + 1})}}$' for i in range(num_masks)),
        'heatmaps',
        'pose',
    ]
    figure = Figure(
        figsize=(TILE_INCHES * len(titles), TILE_INCHES * len(views) + 0.3), layout='constrained'
    )
    axes = figure.subplots(len(views), len(titles), squeeze=False)
    for row, view in zip(axes, views):
        row[0].imshow(view.crop)
        for axis, mask in zip(row[1:], view.masks):
            axis.imshow(_keep(view.crop, mask))
            axis.set_xlabel(f'{100 * mask.mean():.0f} % kept', fontsize=7, labelpad=1)
        row[-2].imshow(_overlay(view.crop, view.heatmaps.max(axis=0)))
        row[-1].imshow(view.crop)
        _draw_pose(row[-1], view.keypoints, skeleton)
        for axis in row:
            axis.set(
                xticks=[], yticks=[], xlim=(0, view.crop.shape[1]), ylim=(view.crop.shape[0], 0)
            )
    for axis, title in zip(axes[0], titles):
        axis.set_title(title, fontsize=9)
    return figure


def _keep(crop: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Blacken what the mask discards."""
    height, width = crop.shape[:2]
    large = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
    return (crop * large[..., None]).astype(np.uint8)


def _overlay(crop: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """Blend a heatmap into the dimmed crop."""
    height, width = crop.shape[:2]
    large = np.clip(cv2.resize(heat, (width, height)), 0, 1)[..., None]
    colours = matplotlib.colormaps['inferno'](large[..., 0])[..., :3] * 255
    return (0.6 * (1 - large) * crop + large * colours).astype(np.uint8)


def _draw_pose(axis: Axes, keypoints: np.ndarray, skeleton: Sequence[tuple[int, int]]) -> None:
    for i, j in skeleton:
        axis.plot(*keypoints[[i, j]].T, color='#56B4E9', linewidth=1.5, solid_capstyle='round')
    axis.plot(*keypoints.T, 'o', color='#E69F00', markersize=2.5)

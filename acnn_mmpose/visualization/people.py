"""A few people of a data set, predicted with all that a story board shows."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import mmcv
import numpy as np
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.structures import PixelData
from mmpose.structures import PoseDataSample, merge_data_samples

from ..errors import ACNNError
from ..models import ACNN
from .board import stack
from .mask_geometry import crop_boxes, crop_person
from .visualizer import AttentionVisualizer

CROP_SIZE = 256


def pick_people(dataset: BaseDataset, num_people: int) -> list[int]:
    """Choose people that are evenly spread over a data set, always the same."""
    if num_people < 1:
        raise ACNNError(f'a picture needs at least one person, but got {num_people}')
    count = min(num_people, len(dataset))
    return [int(i) for i in np.linspace(0, len(dataset) - 1, count)]


def predict_people(
    model: ACNN, dataset: BaseDataset, indices: Sequence[int]
) -> list[PoseDataSample]:
    """Predict people with masks, stages and heatmaps, whatever the config outputs.

    Returns:
        One merged data sample per index, as MMPose's visualizers take them.
    """
    batch = pseudo_collate([dataset[i] for i in indices])
    flags = dict(output_heatmaps=True, output_stages=True, output_attention=True)
    test_cfg, model.test_cfg = model.test_cfg, {**model.test_cfg, **flags}
    try:
        with torch.no_grad():
            return [merge_data_samples([sample]) for sample in model.test_step(batch)]
    finally:
        model.test_cfg = test_cfg


def draw_people(visualizer: AttentionVisualizer, samples: Sequence[PoseDataSample]) -> np.ndarray:
    """Draw people from :func:`predict_people` in crops, below each other; RGB, uint8."""
    boards = []
    for sample in samples:
        image = mmcv.imread(sample.img_path, channel_order='rgb')
        if visualizer.mode != 'story':  # which cuts out people itself
            image, sample = _in_crop(image, sample)
        boards.append(visualizer.draw(image, sample))
    return stack(boards)


def _in_crop(image: np.ndarray, sample: PoseDataSample) -> tuple[np.ndarray, PoseDataSample]:
    """Cut out the person of a sample, and its heatmaps."""
    (box,) = crop_boxes(sample.pred_instances)
    crop, person = crop_person(image, sample.pred_instances, 0, CROP_SIZE)
    size = crop.shape[1::-1]
    heatmaps = [cv2.warpAffine(h, box.to_crop(*size), size) for h in sample.pred_fields.heatmaps]
    cut = PoseDataSample(pred_instances=person)
    cut.pred_fields = PixelData(heatmaps=np.stack(heatmaps))
    return crop, cut

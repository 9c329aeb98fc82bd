"""A few people of a data set, predicted and drawn."""

from __future__ import annotations

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
from .visualizer import CROP_HEIGHT, AttentionVisualizer

ALL_OUTPUTS = dict(output_heatmaps=True, output_stages=True, output_attention=True)


def draw_people(
    model: ACNN, dataset: BaseDataset, num_people: int, mode: str = 'story'
) -> np.ndarray:
    """Draw people in crops, below each other: evenly spread over a data set, always the same.

    Args:
        model: It predicts all that a mode may show, whatever its config outputs.
        dataset: A data set with a test pipeline.
        num_people: How many people, >= 1, at most all.
        mode: Of :class:`AttentionVisualizer`.

    Returns:
        (H, W, 3), RGB, uint8.
    """
    if num_people < 1:
        raise ACNNError(f'a picture needs at least one person, but got {num_people}')
    indices = np.linspace(0, len(dataset) - 1, min(num_people, len(dataset)))
    batch = pseudo_collate([dataset[int(i)] for i in indices])
    test_cfg, model.test_cfg = model.test_cfg, {**model.test_cfg, **ALL_OUTPUTS}
    try:
        with torch.no_grad():
            samples = [merge_data_samples([sample]) for sample in model.test_step(batch)]
    finally:
        model.test_cfg = test_cfg
    visualizer = AttentionVisualizer(mode=mode)
    visualizer.set_dataset_meta(dataset.metainfo)
    boards = []
    for sample in samples:
        image = mmcv.imread(sample.img_path, channel_order='rgb')
        if mode != 'story':  # which cuts out people itself
            image, sample = _in_crop(image, sample)
        boards.append(visualizer.draw(image, sample))
    return stack(boards)


def _in_crop(image: np.ndarray, sample: PoseDataSample) -> tuple[np.ndarray, PoseDataSample]:
    """Cut out the person of a sample, and its heatmaps."""
    (box,) = crop_boxes(sample.pred_instances)
    crop, person = crop_person(image, sample.pred_instances, 0, CROP_HEIGHT)
    size = crop.shape[1::-1]
    heatmaps = [cv2.warpAffine(h, box.to_crop(*size), size) for h in sample.pred_fields.heatmaps]
    cut = PoseDataSample(pred_instances=person)
    cut.pred_fields = PixelData(heatmaps=np.stack(heatmaps))
    return crop, cut

"""Photographs that are larger than a network's input, and pipelines that read them."""

from __future__ import annotations

import json
from pathlib import Path

from acnn_mmpose.datasets import SeededSamples

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from mmpose.registry import DATASETS

from tests.conftest import ROOT

SCALES = (0.5, 1.3, 2.2, 4.4)  # crops of 0.5 to 4 times the input's side


@pytest.fixture(scope='session')
def photographs(tmp_path_factory) -> Path:
    """A data root in MPII's layout: 2 photographs of odd size, 4 people in each."""
    root = tmp_path_factory.mktemp('photographs')
    (root / 'annotations').mkdir()
    (root / 'images').mkdir()
    rng = np.random.default_rng(0)
    people = []
    for name, width, height in (('1.jpg', 957, 643), ('2.jpg', 801, 1003)):
        cv2.imwrite(str(root / 'images' / name), picture(width, height, rng))
        people += [person(name, rng.uniform(0.2, 0.8, 2) * (width, height), s) for s in SCALES]
    (root / 'annotations/mpii_train.json').write_text(json.dumps(people))
    return root


def picture(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Structure at every scale, less of it the smaller, as in photographs: BGR, uint8."""
    image = np.full((height, width, 3), 128.0)
    for cells in (3, 10, 30, 100, 300):
        noise = rng.normal(0, 120 / cells**0.6, (cells, cells, 3))
        image += cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)
    return image.clip(0, 255).astype(np.uint8)


def person(image: str, center: np.ndarray, scale: float) -> dict:
    """An entry of the annotation file."""
    offsets = np.random.default_rng(1).uniform(-80, 80, (16, 2)) * scale
    return dict(
        image=image,
        center=center.tolist(),
        scale=scale,
        joints=(center + offsets).tolist(),
        joints_vis=[1] * 16,
    )


STOCK = {
    'LoadReadableImage': 'LoadImage',
    'TopdownCrop': 'TopdownAffine',
    'FastBBoxTransform': 'RandomBBoxTransform',
    'FastMSRAHeatmap': 'MSRAHeatmap',
}


def dataset_config(root: Path, stock: bool = False, **load) -> dict:
    """The training set of configs/acnn_phase1.py.

    Args:
        root: The data root.
        stock: Take MMPose's transforms instead of this package's.
        **load: The transform that loads images, if another one.
    """
    config = Config.fromfile(ROOT / 'configs/acnn_phase1.py').train_dataloader.dataset
    config.data_root = str(root)
    for transform in config.pipeline:
        if load and transform.type.startswith('Load'):
            transform.update(load)
        if stock:
            transform['type'] = STOCK.get(transform.type, transform.type)
            if 'encoder' in transform:
                transform.encoder.type = STOCK[transform.encoder.type]
    return config


def samples(config: dict, epochs: int = 4) -> list[dict]:
    """All samples of a data set in some epochs of seed 0."""
    dataset = DATASETS.build(config)
    seeded, collected = SeededSamples.install(dataset), []
    for epoch in range(epochs):
        seeded.start_epoch(0, epoch)
        collected += dataset.__getitems__(range(len(dataset)))
    return collected


def assert_same(ours: list[dict], stock: list[dict], images: bool = True) -> None:
    """Compare samples to the bit, with or without their images."""
    assert len(ours) == len(stock)
    assert {sample['data_samples'].flip for sample in stock} == {True, False}
    for mine, other in zip(ours, stock):
        assert not images or (mine['inputs'] == other['inputs']).all()
        mine, other = mine['data_samples'], other['data_samples']
        assert (mine.gt_fields.heatmaps == other.gt_fields.heatmaps).all()
        weights = (sample.gt_instance_labels.keypoint_weights for sample in (mine, other))
        assert (next(weights) == next(weights)).all()
        assert mine.metainfo.keys() == other.metainfo.keys()
        for key in ('ori_shape', 'img_shape', 'img_path', 'flip', 'input_size'):
            assert mine.metainfo[key] == other.metainfo[key]
        for key in ('input_center', 'input_scale'):
            assert (mine.metainfo[key] == other.metainfo[key]).all()

"""Samples that depend on seed, epoch and index only, whatever wraps the data set."""

from __future__ import annotations

import random

from acnn_mmpose.datasets import SeededSamples

import numpy as np
import pytest
from mmengine.config import ConfigDict
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader, Dataset


class Draws(Dataset):
    """Random numbers, drawn as MMPose's transforms do."""

    def __getitem__(self, index: int) -> tuple[float, float]:
        return np.random.rand(), random.random()

    def __len__(self) -> int:
        return 9


def test_samples_depend_on_seed_epoch_and_index_only():
    first, second = SeededSamples(Draws()), SeededSamples(Draws())
    first.start_epoch(seed=1, epoch=4)
    second.start_epoch(seed=1, epoch=4)
    assert second([8, 7])[1] == first([7])[0]  # what a worker made before does not matter
    assert len({number for sample in first(range(9)) for number in sample}) == 18
    for other in (dict(seed=2, epoch=4), dict(seed=1, epoch=5)):
        second.start_epoch(**other)
        assert first([7]) != second([7])


def people(root, **options) -> ConfigDict:
    augment = [dict(type='RandomBBoxTransform', shift_prob=0)]
    return ConfigDict(
        type='MpiiTrainDataset',
        data_root=str(root),
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=[dict(type='GetBBoxCenterScale'), *augment],
        **options,
    )


def combined(root) -> dict:
    """As many of one data set as of the other, of the second each person once or twice."""
    return dict(
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
        datasets=[people(root), people(root, indices=8)],
        sample_ratio_factor=[0.5, 1.5],
        pipeline=[],
    )


def repeated(root) -> dict:
    return dict(type='RepeatDataset', times=2, dataset=people(root, indices=12))


def concatenated(root) -> dict:
    return dict(type='ConcatDataset', datasets=[people(root, indices=12)] * 2)


def draw(config: dict, num_workers: int, epoch: int) -> list[tuple[str, float, float]]:
    """An epoch's samples as a data loader makes them: image, scale, rotation."""
    dataset = DATASETS.build(config)
    SeededSamples.install(dataset).start_epoch(seed=0, epoch=epoch)
    loader = DataLoader(dataset, 5, num_workers=num_workers, collate_fn=pseudo_collate)
    samples = []
    for batch in loader:
        scales = [float(scale[0, 0]) for scale in batch['bbox_scale']]
        rotations = [np.asarray(rotation).item() for rotation in batch['bbox_rotation']]
        samples += zip(batch['img_path'], scales, rotations)
    return samples


@pytest.mark.parametrize('config', [combined, repeated, concatenated])
def test_wrapped_data_sets_repeat_and_augment_everybody_anew(toy_root, config):
    config = config(toy_root)
    samples = draw(config, num_workers=0, epoch=3)
    np.random.seed(99)  # another process that resumes
    assert draw(config, num_workers=2, epoch=3) == samples
    assert draw(config, num_workers=0, epoch=4) != samples
    assert len(samples) == 24
    assert len({path for path, *_ in samples}) < 24  # some are shown twice
    assert len(set(samples)) == 24
    turned = [rotation for *_, rotation in samples if rotation]
    assert len(set(turned)) == len(turned) > 5

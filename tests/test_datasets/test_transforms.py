"""MPII's joints count from 1: where the shift is, and that nothing is left of it."""

from __future__ import annotations

import random

from acnn_mmpose.datasets import SeedSample, ZeroBasedKeypoints

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.registry import DATASETS, METRICS

from tests.conftest import ROOT


def test_shift():
    keypoints = np.array([[[1.0, 1.0], [13.5, 20.0]]], dtype=np.float32)
    results = ZeroBasedKeypoints()(dict(keypoints=keypoints))
    assert results['keypoints'].tolist() == [[[0, 0], [12.5, 19]]]
    assert keypoints[0, 0, 0] == 1  # the data set's own array is left alone


def test_only_training_shifts():
    cfg = Config.fromfile(ROOT / 'configs/acnn_phase1.py')
    assert 'ZeroBasedKeypoints' in [t.type for t in cfg.train_dataloader.dataset.pipeline]
    for split in ('val', 'test'):
        pipeline = cfg[f'{split}_dataloader'].dataset.pipeline
        assert 'ZeroBasedKeypoints' not in [t.type for t in pipeline]


def test_a_perfect_predictor_has_distance_0_in_the_stock_metric(toy_root, monkeypatch):
    """What the training pipeline teaches, scored by MpiiPCKAccuracy on the same people."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))
    cfg = Config.fromfile(ROOT / 'configs/toy/acnn_phase1.py')
    val = DATASETS.build(cfg.val_dataloader.dataset)
    shift = ZeroBasedKeypoints()
    metric = METRICS.build(dict(type='MpiiPCKAccuracy'))
    distances = []
    for i in range(len(val)):
        taught = shift(val.get_data_info(i))['keypoints']
        sample = val[i]['data_samples']
        labels = sample.gt_instances.keypoints
        visible = sample.gt_instances.keypoints_visible[0].astype(bool)
        distances.append(np.linalg.norm(taught + 1 - labels, axis=-1)[0][visible])
        metric.process(
            [{}],
            [
                dict(
                    pred_instances=dict(keypoints=taught),
                    gt_instances=sample.gt_instances.to_dict(),
                )
            ],
        )
    assert np.concatenate(distances).max() == 0
    metrics = metric.evaluate(len(val))
    assert metrics['PCK'] == pytest.approx(100)
    assert metrics['PCK@0.1'] == pytest.approx(100)


def draws(transform, person: int) -> list[float]:
    transform(dict(id=person))
    return [np.random.rand(), random.random()]


def test_augmentation_depends_on_seed_epoch_and_person_only():
    first, second = SeedSample(), SeedSample()
    first.start_epoch(seed=1, epoch=4)
    second.start_epoch(seed=1, epoch=4)
    draws(second, person=8)  # what a worker made before does not matter
    assert draws(first, person=7) == draws(second, person=7)
    assert draws(first, person=7) != draws(first, person=8)
    for other in (dict(seed=2, epoch=4), dict(seed=1, epoch=5)):
        second.start_epoch(**other)
        assert draws(first, person=7) != draws(second, person=7)


def test_without_a_start_the_random_numbers_are_left_alone():
    state = np.random.get_state()[1].copy()
    SeedSample()(dict(id=7))
    assert (np.random.get_state()[1] == state).all()

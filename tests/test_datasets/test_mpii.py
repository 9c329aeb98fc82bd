"""Joints where they are, and unreadable images: their people are replaced by the same ones."""

from __future__ import annotations

import shutil
from pathlib import Path

from acnn_mmpose.datasets import MpiiTrainDataset, SeededSamples
from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS, METRICS
from torch.utils.data import DataLoader


def build(root: Path, **options) -> MpiiTrainDataset:
    return MpiiTrainDataset(
        data_root=str(root),
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=[
            dict(type='LoadReadableImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='RandomBBoxTransform', shift_prob=0),
            dict(type='TopdownAffine', input_size=(32, 32)),
            dict(type='PackPoseInputs', meta_keys=('id', 'img_path')),
        ],
        **options,
    )


def damage(dataset: MpiiTrainDataset, *people: int) -> list[str]:
    paths = [dataset.get_data_info(i)['img_path'] for i in people]
    for path in paths:
        Path(path).write_bytes(b'no image')
    return paths


@pytest.fixture
def root(toy_root, tmp_path) -> Path:
    return Path(shutil.copytree(toy_root, tmp_path / 'toy'))


def test_a_perfect_predictor_has_distance_0_in_the_stock_metric(toy_root):
    """What training teaches, scored by MpiiPCKAccuracy on the same people."""
    common = dict(
        data_root=str(toy_root),
        ann_file='annotations/mpii_val.json',
        headbox_file=f'{toy_root}/annotations/mpii_gt_val.mat',
        test_mode=True,
    )
    val = DATASETS.build(dict(type='MpiiDataset', **common))
    train = DATASETS.build(dict(type='MpiiTrainDataset', **common))
    metric = METRICS.build(dict(type='MpiiPCKAccuracy'))
    for taught, person in zip(train, val):
        np.testing.assert_array_equal(taught['bbox_center'], person['bbox_center'])
        np.testing.assert_array_equal(taught['keypoints'] + 1, person['keypoints'])
        labels = {key: person[key] for key in ('keypoints', 'keypoints_visible', 'head_size')}
        labels.update(bboxes=person['bbox'], head_size=person['head_size'])
        predicted = dict(keypoints=taught['keypoints'])
        metric.process([{}], [dict(pred_instances=predicted, gt_instances=labels)])
    metrics = metric.evaluate(len(val))
    assert metrics['PCK'] == pytest.approx(100)
    assert metrics['PCK@0.1'] == pytest.approx(100)


def test_the_next_person_takes_the_place_in_whatever_order_samples_are_made(root):
    dataset = build(root)
    samples = SeededSamples(dataset)
    samples.start_epoch(seed=3, epoch=0)
    expected = samples(range(24))
    bad = damage(dataset, 4, 5, 23)
    replaced = samples(range(24))
    assert [s['data_samples'].id for s in replaced] == [*range(4), 6, 6, *range(6, 23), 0]
    for i in reversed(range(24)):
        (sample,) = samples([i])
        assert torch.equal(sample['inputs'], replaced[i]['inputs'])
        if i not in (4, 5, 23):
            assert torch.equal(sample['inputs'], expected[i]['inputs'])
    assert dataset.unreadable_files() == bad
    shown = [replaced[i]['inputs'] for i in (4, 5, 6)]  # one person, each time another crop
    assert not torch.equal(shown[0], shown[1])
    assert not torch.equal(shown[1], shown[2])


def test_a_combination_passes_over_them_where_its_data_sets_load_images(root):
    load, *others = build(root).pipeline.transforms
    people = dict(
        type='MpiiTrainDataset',
        data_root=str(root),
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=[load],
    )
    combined = DATASETS.build(
        dict(
            type='CombinedDataset',
            metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
            datasets=[people, people],
            pipeline=others,
        )
    )
    bad = damage(combined.datasets[0], 2)
    assert [combined[i]['data_samples'].id for i in (1, 2, 3, 26)] == [1, 3, 3, 3]
    assert [dataset.unreadable_files() for dataset in combined.datasets] == [bad, bad]


@pytest.mark.parametrize('num_workers', [0, 2])
def test_the_main_process_sees_what_workers_find(root, num_workers):
    dataset = build(root)
    bad = damage(dataset, 2, 17)
    loader = DataLoader(dataset, 4, num_workers=num_workers, collate_fn=pseudo_collate)
    ids = [sample.id for batch in loader for sample in batch['data_samples']]
    assert ids == [3 if i == 2 else 18 if i == 17 else i for i in range(24)]
    assert dataset.unreadable_files() == bad


def test_a_data_set_without_readable_images_ends_in_one_sentence(root):
    dataset = build(root, max_unreadable=3)
    damage(dataset, *range(24))
    with pytest.raises(
        ACNNError, match=r'^4 images .* can not be read, for .*0003.jpg.* is 3: res'
    ):
        dataset[2]
    dataset.max_unreadable = 24
    with pytest.raises(ACNNError, match=r'^no image of the training set can be read, for '):
        dataset[2]


def test_other_errors_of_a_pipeline_are_not_hidden(root):
    dataset = build(root)
    dataset.pipeline.transforms.insert(2, lambda results: results['no such key'])
    with pytest.raises(KeyError, match='no such key'):
        dataset[0]


def test_a_negative_limit_is_refused(root):
    with pytest.raises(ACNNError, match='max_unreadable must be at least 0, but is -1'):
        build(root, max_unreadable=-1)

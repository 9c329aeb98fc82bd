"""An unreadable image in training: its people are replaced, always by the same ones."""

from __future__ import annotations

import shutil
from pathlib import Path

from acnn_mmpose.datasets import MpiiTrainDataset, SeedSample
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmengine.dataset import pseudo_collate
from torch.utils.data import DataLoader


def build(root: Path, **options) -> MpiiTrainDataset:
    return MpiiTrainDataset(
        data_root=str(root),
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=[
            dict(type='SeedSample'),
            dict(type='LoadReadableImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='RandomBBoxTransform', shift_prob=0),
            dict(type='TopdownAffine', input_size=(32, 32)),
            dict(type='PackPoseInputs', meta_keys=('id', 'img_path')),
        ],
        **options,
    )


def start_epoch(dataset: MpiiTrainDataset, epoch: int) -> None:
    (seed,) = (t for t in dataset.pipeline.transforms if isinstance(t, SeedSample))
    seed.start_epoch(seed=3, epoch=epoch)


def damage(dataset: MpiiTrainDataset, *people: int) -> list[str]:
    paths = [dataset.get_data_info(i)['img_path'] for i in people]
    for path in paths:
        Path(path).write_bytes(b'no image')
    return paths


@pytest.fixture
def root(toy_root, tmp_path) -> Path:
    return Path(shutil.copytree(toy_root, tmp_path / 'toy'))


def test_the_next_person_takes_the_place_in_whatever_order_samples_are_made(root):
    dataset = build(root)
    start_epoch(dataset, 0)
    expected = [dataset[i]['inputs'] for i in range(len(dataset))]
    bad = damage(dataset, 4, 5, 23)
    for order in (range(24), reversed(range(24))):
        for i in order:
            replacement = {4: 6, 5: 6, 23: 0}.get(i, i)
            assert torch.equal(dataset[i]['inputs'], expected[replacement]), i
    assert dataset.unreadable_files() == bad
    start_epoch(dataset, 1)
    assert not torch.equal(dataset[4]['inputs'], expected[6])


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


def test_other_errors_of_a_pipeline_are_not_hidden(root):
    dataset = build(root)
    dataset.pipeline.transforms.insert(2, lambda results: results['no such key'])
    with pytest.raises(KeyError, match='no such key'):
        dataset[0]


def test_a_negative_limit_is_refused(root):
    with pytest.raises(ACNNError, match='max_unreadable must be at least 0, but is -1'):
        build(root, max_unreadable=-1)

"""Data sets of other classes than MPII's: each fault is one sentence at the start."""

from __future__ import annotations

import copy
import json
from pathlib import Path

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
from mmengine.config import Config
from mmpose.datasets.datasets.base import BaseCocoStyleDataset
from mmpose.registry import DATASETS

from tests.coco_people import OWN_JOINTS, write_coco_file

NAMES = ('head', 'right_hand', 'left_hand', 'right_foot', 'left_foot')
SWAPS = ('', 'left_hand', 'right_hand', 'left_foot', 'right_foot')


def joints(swaps: tuple[str, ...] = SWAPS) -> dict:
    return dict(
        dataset_name='own',
        paper_info=dict(),
        keypoint_info={
            i: dict(name=name, id=i, color=[0, 0, 0], type='upper', swap=swap)
            for i, (name, swap) in enumerate(zip(NAMES, swaps))
        },
        skeleton_info={},
        joint_weights=[1.0] * 5,
        sigmas=[0.05] * 5,
    )


@pytest.fixture
def cfg(toy_root, tmp_path, root) -> Config:
    """A config of people with five joints of their own."""
    cfg = engine.load_config(str(root / 'configs/coco/acnn_coco_phase1.py'))
    cfg.model.head.out_channels = 5
    for split in ('train', 'val'):
        write_coco_file(toy_root, split, tmp_path / f'{split}.json', OWN_JOINTS)
        cfg[f'{split}_dataloader'].dataset.update(
            data_root='',
            ann_file=str(tmp_path / f'{split}.json'),
            data_prefix=dict(img=str(toy_root / 'images')),
            metainfo=joints(),
        )
    return cfg


def edit(path: Path, change) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_good_people_pass_until_one_is_not(cfg, tmp_path):
    cfg.val_evaluator.ann_file = cfg.val_dataloader.dataset.ann_file
    engine.check_data(cfg, 'train', 'val')
    edit(tmp_path / 'val.json', lambda content: content['annotations'][7].pop('bbox'))
    engine.check_data(cfg, 'train')
    with pytest.raises(ACNNError, match='val.json: an entry of annotations has no bbox'):
        engine.check_data(cfg, 'train', 'val')


def unlabelled(content):
    for person in content['annotations']:
        person['num_keypoints'] = 0


def flat(content):
    for person in content['annotations']:
        person['bbox'][2] = 0


@pytest.mark.parametrize('change', [unlabelled, flat])
def test_a_data_set_of_which_nobody_is_left(cfg, tmp_path, change):
    edit(tmp_path / 'train.json', change)
    with pytest.raises(ACNNError, match='nobody in .*train.json: people need a box with an area'):
        engine.check_data(cfg, 'train')


@DATASETS.register_module()
class PeopleFromNowhere(BaseCocoStyleDataset):
    """A class that reads a format of its own."""

    people: list[dict]

    def load_data_list(self) -> list[dict]:
        return copy.deepcopy(self.people)

    def _load_annotations(self):
        raise NotImplementedError


@pytest.mark.parametrize(
    ('change', 'problem'),
    [
        ({}, None),
        (dict(keypoints=np.zeros((1, 4, 2))), r'keypoints of shape \(1, 4, 2\), but its metainfo'),
        (dict(keypoints=np.full((1, 5, 2), np.inf)), 'keypoints that is not made of finite numb'),
        (dict(bbox=None), 'person 1 of .*train.json has no bbox'),
        (dict(bbox=np.array([[1, 2, np.nan, 4]])), 'bbox that is not made of finite numbers'),
        (dict(img_path='nowhere.jpg'), 'nowhere.jpg is missing: restore it, or take its people'),
    ],
)
def test_people_of_any_class_are_checked(cfg, images, monkeypatch, change, problem):
    good = dict(
        id=0, img_id=0, img_path=str(images[0]), bbox=np.ones((1, 4)), keypoints=np.ones((1, 5, 2))
    )
    monkeypatch.setattr(PeopleFromNowhere, 'people', [good, {**good, **change}], raising=False)
    cfg.train_dataloader.dataset.type = 'PeopleFromNowhere'
    if problem is None:
        engine.check_data(cfg, 'train')
        monkeypatch.setattr(PeopleFromNowhere, 'people', [])
        problem = 'has nobody in .*train.json'
    with pytest.raises(ACNNError, match=problem):
        engine.check_data(cfg, 'train')


def test_whatever_a_class_raises_is_one_sentence(cfg, monkeypatch):
    cfg.train_dataloader.dataset.type = 'PeopleFromNowhere'
    monkeypatch.delattr(PeopleFromNowhere, 'load_data_list')
    with pytest.raises(ACNNError, match=r'^train_.* can not be read \(NotImplementedError\(\)\)'):
        engine.check_data(cfg, 'train')


def test_a_network_of_another_number_of_joints(cfg):
    cfg.model.head.out_channels = 16
    with pytest.raises(ACNNError, match='5 joints, model.head.out_channels is 16: set it to 5'):
        engine.check_data(cfg, 'train')
    converter = dict(type='KeypointConverter', num_keypoints=16, mapping=[(0, 9)])
    cfg.train_dataloader.dataset.pipeline.insert(0, converter)
    engine.check_data(cfg, 'train')


@pytest.mark.parametrize(
    ('swaps', 'problem'),
    [
        (('', 'left_hand', '', 'left_foot', 'right_foot'), r'flip indices .* \[0, 2, 2, 4, 3\]'),
        (('', 'left_foot', 'right_hand', 'left_hand', 'right_foot'), 'are no pairs of joints'),
        (('', 'no_hand', '', '', ''), r"can not be read \(KeyError\('no_hand'\)"),
    ],
)
def test_joints_that_do_not_swap_in_pairs(cfg, swaps, problem):
    cfg.train_dataloader.dataset.metainfo = joints(swaps)
    with pytest.raises(ACNNError, match=problem):
        engine.check_data(cfg, 'train')


def test_sigmas_for_some_of_the_joints(cfg):
    cfg.train_dataloader.dataset.metainfo['sigmas'] = [0.05] * 4
    with pytest.raises(ACNNError, match='has 5 joints: give its metainfo as many sigmas'):
        engine.check_data(cfg, 'train')


def test_data_sets_within_wrappers_and_of_unknown_arguments(cfg):
    dataset = copy.deepcopy(cfg.train_dataloader.dataset)
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=dataset)
    engine.check_data(cfg, 'train')
    cfg.train_dataloader.dataset.dataset.colour = 'red'
    with pytest.raises(ACNNError, match=r'can not be read \(TypeError.*colour'):
        engine.check_data(cfg, 'train')

"""What the tools' table of bad data (tests/test_errors.py) does not reach."""

from __future__ import annotations

import json

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import pytest


def test_good_data_pass(toy_config):
    engine.check_data(toy_config(1), 'train', 'val', 'test')


def test_data_sets_within_wrappers_are_checked(toy_config):
    cfg = toy_config(1)
    dataset = cfg.train_dataloader.dataset
    cfg.train_dataloader.dataset = dict(
        type='ConcatDataset', datasets=[dict(type='RepeatDataset', times=2, dataset=dataset)]
    )
    engine.check_data(cfg, 'train')
    dataset.ann_file = 'annotations/nowhere.json'
    with pytest.raises(ACNNError, match=r'train data set needs .*annotations/nowhere.json'):
        engine.check_data(cfg, 'train')


def test_a_few_missing_images_do_not_keep_training_from_starting(toy_config, toy_root, tmp_path):
    entries = json.loads((toy_root / 'annotations/mpii_train.json').read_text())
    for index, entry in enumerate(entries[:3]):
        entry['image'] = f'90000000{index}.jpg'
    (tmp_path / 'changed.json').write_text(json.dumps(entries))
    cfg = toy_config(1)
    cfg.train_dataloader.dataset.update(ann_file=str(tmp_path / 'changed.json'), max_unreadable=3)
    engine.check_data(cfg, 'train')
    cfg.train_dataloader.dataset.max_unreadable = 2
    with pytest.raises(ACNNError, match=r'images/900000000.jpg is missing \(and 2 more problems'):
        engine.check_data(cfg, 'train')


def test_the_test_set_needs_no_joints(toy_config, toy_root, tmp_path):
    entries = json.loads((toy_root / 'annotations/mpii_val.json').read_text())
    for entry in entries:
        del entry['joints'], entry['joints_vis']
    (tmp_path / 'test.json').write_text(json.dumps(entries))
    cfg = toy_config(1)
    engine.use_test_set(cfg, str(tmp_path / 'submission'))
    cfg.test_dataloader.dataset.ann_file = str(tmp_path / 'test.json')
    engine.check_data(cfg, 'test')
    cfg.test_dataloader.dataset.type = 'MpiiDataset'
    with pytest.raises(ACNNError, match='entry 0 has no joints, joints_vis'):
        engine.check_data(cfg, 'test')


def test_data_sets_of_other_kinds_need_only_exist(toy_config):
    cfg = toy_config(1)
    cfg.train_dataloader.dataset.type = 'AicDataset'
    cfg.train_dataloader.dataset.ann_file = 'annotations/mpii_gt_val.mat'
    engine.check_data(cfg, 'train')

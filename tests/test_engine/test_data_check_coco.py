"""Bad data in COCO's format end in one sentence before training starts."""

from __future__ import annotations

import json

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import pytest

from ..conftest import ROOT


@pytest.fixture
def cfg(coco_root, tmp_path, monkeypatch):
    """The config of phase 1 on COCO, with annotations of its own to spoil."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(coco_root))
    cfg = engine.load_config(str(ROOT / 'configs/coco/acnn_coco_phase1.py'), str(tmp_path))
    dataset = cfg.train_dataloader.dataset
    content = (coco_root / dataset.ann_file).read_text()
    dataset.ann_file = str(tmp_path / 'train.json')
    (tmp_path / 'train.json').write_text(content)
    return cfg


def test_good_data_pass_and_are_left_as_they_are(cfg):
    before = cfg.pretty_text
    engine.check_data(cfg, 'train', 'val', 'test')
    assert cfg.pretty_text == before


@pytest.mark.parametrize(
    ('spoil', 'sentence'),
    [
        (
            lambda c: c.clear(),
            'train.json: has no list of images, or an empty one; docs',
        ),
        (lambda c: c.update(annotations=[]), 'has no list of annotations, or an empty one'),
        (
            lambda c: c['annotations'][2].pop('bbox'),
            "an entry of annotations has no bbox: {'id': 3",
        ),
        (
            lambda c: c['images'].__setitem__(0, 7),
            "train_dataloader.dataset can not be read .*'int' object has no attribute",
        ),
        (
            lambda c: (c['images'][0].pop('id'), c['images'][0].update(width=None)),
            "entry of images has no id, width: {'file_name'",
        ),
        (
            lambda c: c['images'][0].update(file_name=1),
            'dataset can not be read .TypeError',
        ),
        (lambda c: c['images'].pop(), 'annotation 8 is of image 8, which is not listed'),
        (lambda c: c['annotations'][1].update(id=1), 'two entries of annotations have the id 1'),
        (
            lambda c: c['annotations'][0].update(keypoints=[1, 2, 2]),
            r'keypoints of annotation 1 must be 51 numbers \(x, y, v .* 17 joints\), but is \[1, 2',
        ),
        (
            lambda c: c['annotations'][0].update(bbox=[0, 0, float('nan'), 1]),
            r'bbox of annotation 1 must be 4 numbers \(x, y, width, height\)',
        ),
        (
            lambda c: c['images'][0].update(file_name='nothing.jpg'),
            'train2017/nothing.jpg is missing: restore it, or take its people out of',
        ),
    ],
)
def test_bad_annotations_are_named(cfg, tmp_path, spoil, sentence):
    path = tmp_path / 'train.json'
    content = json.loads(path.read_text())
    spoil(content)
    path.write_text(json.dumps(content))
    with pytest.raises(ACNNError, match=sentence):
        engine.check_data(cfg, 'train')


def test_an_image_without_people_may_be_missing(cfg, tmp_path):
    path = tmp_path / 'train.json'
    content = json.loads(path.read_text())
    content['images'].append({**content['images'][0], 'id': 99, 'file_name': 'nothing.jpg'})
    path.write_text(json.dumps(content))
    engine.check_data(cfg, 'train')


def test_a_file_that_is_no_json_is_named(cfg, tmp_path):
    (tmp_path / 'train.json').write_text('{')
    with pytest.raises(ACNNError, match=r'train\.json can not be read as json .*own_data\.md'):
        engine.check_data(cfg, 'train')


def test_what_the_metric_reads_is_needed_where_it_is_scored(cfg, tmp_path):
    path = tmp_path / 'train.json'
    content = json.loads(path.read_text())
    del content['annotations'][0]['area']
    path.write_text(json.dumps(content))
    engine.check_data(cfg, 'train')
    cfg.val_dataloader.dataset = {**cfg.train_dataloader.dataset}
    cfg.val_evaluator.ann_file = str(path)
    with pytest.raises(ACNNError, match='an entry of annotations has no area'):
        engine.check_data(cfg, 'val')


def test_other_joints_and_other_files_are_refused(cfg):
    cfg.val_evaluator.ann_file = 'nowhere.json'
    with pytest.raises(
        ACNNError, match=r'val_evaluator.ann_file is nowhere.json, .*val2017.json: '
    ):
        engine.check_data(cfg, 'val')
    cfg.model.head.out_channels = 16
    with pytest.raises(
        ACNNError, match='dataset has 17 joints, model.head.out_channels is 16: set it to 17'
    ):
        engine.check_data(cfg, 'train')
    cfg.train_dataloader.dataset.metainfo = dict(from_file='nowhere.py')
    with pytest.raises(
        ACNNError, match=r'dataset can not be read .*nowhere.py.* metainfo .*own_data\.md'
    ):
        engine.check_data(cfg, 'train')

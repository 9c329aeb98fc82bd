"""One set of checks for annotations: what one tool writes or accepts, all others accept."""

from __future__ import annotations

import json
from pathlib import Path

from acnn_mmpose.datasets import MpiiTestDataset
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.mpii import check_mpii, convert_mpii
from acnn_mmpose.mpii.annotations import check_head_boxes, entry_problems, read_annotations

import numpy as np
import pytest
from mmpose.datasets.datasets import MpiiDataset

from tests.test_mpii.official_release import image, rect, save_release

GOOD = {
    'image': '000000001.jpg',
    'center': [100.0, 120.0],
    'scale': 2.0,
    'joints': [[10.0 + j, 20.0 + j] for j in range(16)],
    'joints_vis': [1] * 16,
}


@pytest.fixture
def ann_file(tmp_path) -> Path:
    (tmp_path / 'annotations').mkdir()
    return tmp_path / 'annotations/mpii_train.json'


@pytest.mark.parametrize(
    ('change', 'problem'),
    [
        (dict(image=12.5), 'image name 12.5 is not a number like 000001.jpg'),
        (dict(image=''), "image name '' is not a number"),
        (dict(image='\u0663.jpg'), 'is not a number'),
        (dict(image='9' * 5000 + '.jpg'), 'is not a number'),
        (dict(scale=1e-300), 'scale 1e-300 is not between 0.01 and 50'),
        (dict(scale='2'), 'scale 2 is not between'),
        (dict(scale=True), 'scale True is not between'),
        (dict(center=[1e300, 5]), 'not two numbers of a sensible size'),
        (dict(center=[5, float('nan')]), 'not two numbers of a sensible size'),
        (dict(joints=[[1, 2]] * 15 + [[1, 1e300]]), 'joint 15 is .* sensible size'),
        (dict(joints_vis=[1] * 15 + [2]), 'values other than 0 and 1'),
    ],
)
def test_training_and_checker_refuse_the_same(ann_file, change, problem):
    entry = {**GOOD, **change}
    assert list(entry_problems(GOOD, has_joints=True)) == []
    (found,) = entry_problems(entry, has_joints=True)
    ann_file.write_text(json.dumps([GOOD, entry]))
    with pytest.raises(ACNNError, match=f'mpii_train.json entry 1 .*{problem}'):
        read_annotations(ann_file)
    assert f'mpii_train.json entry 1: {found}' in check_mpii(ann_file.parents[1])


def test_the_test_set_is_read_with_the_same_checks(ann_file):
    without = {key: GOOD[key] for key in ('image', 'center', 'scale')}
    ann_file.write_text(json.dumps([without]))
    assert len(MpiiTestDataset(ann_file=str(ann_file))) == 1
    ann_file.write_text(json.dumps([without, {**without, 'center': [1e300, 5]}]))
    with pytest.raises(ACNNError, match='entry 1 center .* of a sensible size'):
        MpiiTestDataset(ann_file=str(ann_file))


def test_a_deeply_nested_file_is_one_problem(ann_file):
    ann_file.write_text('[' * 100_000)
    with pytest.raises(ACNNError, match=r'mpii_train.json can not be read as json .*recursion'):
        read_annotations(ann_file)
    (problem,) = (line for line in check_mpii(ann_file.parents[1]) if 'mpii_train' in line)
    assert 'mpii_train.json can not be read as json' in problem


def test_the_converter_writes_nobody_whom_training_refuses(tmp_path):
    joints = {j: (10.0 + j, 20.0 + j) for j in range(16)}
    images = [
        image('000000001.jpg', [rect(joints), rect(joints, scale=1e-300), rect(joints, scale=99)]),
        image('', [rect(joints)]),
        image('000000002.jpg', [rect(joints, (1e300, 5)), rect({**joints, 3: (1e300, 1)})]),
        image('000000003.jpg', [rect(None), rect(None, scale=1e-300)]),
        image('', [rect(None)]),
    ]
    single = [[1]] * 3 + [[1, 2, np.nan, 0.5], [1]]
    save_release(tmp_path / 'mpii.mat', images, [1, 1, 1, 0, 0], single)
    report = convert_mpii(tmp_path / 'mpii.mat', tmp_path).splitlines()
    useless = 'left out: no points, scale, position or image name that can be used'
    assert f'5 training people {useless}' in report
    assert f'2 TEST PEOPLE IN single_person {useless}' in report
    assert len(read_annotations(tmp_path / 'mpii_train.json')) == 1
    assert len(MpiiDataset(ann_file=str(tmp_path / 'mpii_trainval.json'))) == 1
    assert len(read_annotations(tmp_path / 'mpii_test.json', has_joints=False)) == 1


def test_images_that_are_neither_for_training_nor_for_the_test_are_refused(tmp_path):
    save_release(tmp_path / 'mpii.mat', [image('000000001.jpg', [])], [2])
    with pytest.raises(ACNNError, match='mpii.mat is not the official file: img_train has values'):
        convert_mpii(tmp_path / 'mpii.mat', tmp_path)


def test_head_boxes_are_refused_in_one_sentence(tmp_path):
    with pytest.raises(ACNNError, match=r'gt.mat does not exist: restore it, or make'):
        check_head_boxes(tmp_path / 'gt.mat', [GOOD])

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.mpii import check_mpii

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat, savemat

from tests.mpii_root import make_mpii_root

CHECK_TOOL = Path(__file__).parents[2] / 'tools' / 'check_mpii.py'


@pytest.fixture
def root(tmp_path):
    return make_mpii_root(tmp_path / 'mpii', num_train=12)


def edit(root, split, change):
    path = root / 'annotations' / f'mpii_{split}.json'
    entries = json.loads(path.read_text())
    change(entries)
    path.write_text(json.dumps(entries))


def test_good_root_has_no_problem(root):
    assert check_mpii(root) == []


@pytest.mark.parametrize(('turn', 'count'), [(1, 1), (6, 0)])
def test_joints_lie_in_a_photograph_as_it_is_turned(root, turn, count):
    exif = Image.Exif()
    exif[0x0112] = turn  # 6: shown with its right side down
    Image.new('RGB', (4000, 3000)).save(root / 'images/000000001.jpg', exif=exif)
    edit(root, 'train', lambda entries: entries[0].update(center=[1500, 3900]))
    problems = check_mpii(root)
    assert len(problems) == count, problems


def test_every_problem_is_in_one_report(root, monkeypatch, capsys):
    images = root / 'images'
    train = [f'{i:09d}.jpg' for i in range(1, 13)]
    (images / train[0]).unlink()
    (images / train[1]).write_bytes((images / train[1]).read_bytes()[:-1])
    (images / train[2]).write_bytes(b'')
    (images / train[3]).write_text('text')

    def break_train(entries):
        entries[4]['joints'][4][0], entries[4]['joints_vis'][4] = 10_000, 1
        entries[5]['joints'][5][1] = float('nan')
        del entries[6]['joints'][0]
        entries[7]['scale'] = 0
        entries[8]['center'] = [999, 10]
        del entries[9]['joints_vis']
        entries[10]['image'] = 'im.jpg'
        entries.append(entries[11])

    edit(root, 'train', break_train)
    edit(root, 'val', lambda entries: entries[0].update(image=train[11]))
    truth = loadmat(root / 'annotations' / 'mpii_gt_val.mat')
    truth['headboxes_src'] = truth['headboxes_src'][..., 1:]
    savemat(root / 'annotations' / 'mpii_gt_val.mat', truth)

    monkeypatch.setattr(sys, 'argv', ['check_mpii.py', str(root)])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(CHECK_TOOL), run_name='__main__')
    assert stop.value.code == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if 'truncated' in line] == [lines[1]]
    assert lines[:1] + lines[2:] == [
        'images/000000001.jpg: is missing',
        'images/000000003.jpg: is empty (0 bytes)',
        'images/000000004.jpg: is not an image',
        'images/im.jpg: is missing',
        lines[5],
        lines[6],
        'mpii_train.json entry 6: has 15 joints and 16 joints_vis: 16 of each are needed, x and y '
        'for each joint',
        'mpii_train.json entry 7: scale 0 is not between 0.01 and 50 (times 200 px)',
        'mpii_train.json entry 8: center at [999.0, 10.0] is 679 px outside the image '
        '000000009.jpg, 320x240 px',
        'mpii_train.json entry 9: has no joints_vis',
        "mpii_train.json entry 10: image name 'im.jpg' is not a number like 000001.jpg, which "
        'MpiiDataset needs',
        'mpii_train.json entry 12: the same person as entry 11 (000000012.jpg [160.0, 120.0])',
        '000000012.jpg is in both mpii_train.json and mpii_val.json',
        'mpii_gt_val.mat has 5 head boxes but mpii_val.json has 6 entries; MMPose matches them by '
        'position',
        f'15 problem(s) in {root}',
    ]
    assert lines[5].startswith('mpii_train.json entry 4: joint 4 at [10000.0, ')
    assert 'is 9680 px outside the image 000000005.jpg, 320x240 px' in lines[5]
    assert lines[6].startswith('mpii_train.json entry 5: joint 5 is [')


def test_head_boxes_of_other_people_are_found(root):
    path = root / 'annotations' / 'mpii_gt_val.mat'
    truth = loadmat(path)
    truth['pos_gt_src'] = np.roll(truth['pos_gt_src'], 1, axis=2)
    truth['headboxes_src'][:, :, 3] = 7
    savemat(path, truth)
    problems = check_mpii(root)
    assert any('mpii_gt_val.mat row 3: head box [[7.0' in problem for problem in problems)
    assert len(problems) == 1 + 6


@pytest.mark.parametrize('cut', [np.s_[:, :, :-1], np.s_[:-1]])
def test_joints_of_the_wrong_shape_are_found(root, cut):
    path = root / 'annotations' / 'mpii_gt_val.mat'
    truth = loadmat(path)
    truth['pos_gt_src'] = truth['pos_gt_src'][cut]
    savemat(path, truth)
    (problem,) = check_mpii(root)
    assert problem.startswith('mpii_gt_val.mat has joints (pos_gt_src) of shape')


def test_what_is_wholly_missing_is_one_problem_each(root):
    (root / 'images').rename(root / 'pictures')
    for name in ('mpii_train.json', 'mpii_gt_val.mat'):
        (root / 'annotations' / name).unlink()
    (root / 'annotations' / 'mpii_val.json').write_text('{')
    assert [problem.partition(' can')[0] for problem in check_mpii(root)] == [
        f'{root}/annotations/mpii_train.json',
        f'{root}/annotations/mpii_val.json',
        f'image folder {root / "images"} does not exist',
        f'{root / "annotations" / "mpii_gt_val.mat"} does not exist',
    ]
    with pytest.raises(ACNNError, match='does not exist'):
        check_mpii(root / 'nothing')

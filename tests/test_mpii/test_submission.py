from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import ACNNError

import numpy as np
import pytest
from mmengine.runner import Runner
from mmpose.registry import DATASETS, MODELS
from scipy.io import loadmat, savemat

TOOL = Path(__file__).parents[2] / 'tools' / 'test.py'


def required(root):
    return json.loads((root / 'annotations' / 'mpii_test.json').read_text())


def read_submission(folder):
    """Read the file as MATLAB would: image name and rectangle (from 1) -> points (16, 3)."""
    pred = loadmat(folder / 'pred_keypoints_mpii.mat', squeeze_me=True, struct_as_record=False)
    people = {}
    for image in pred['pred']:
        for ridx, rect in enumerate(np.atleast_1d(image.annorect), start=1):
            if np.size(rect.annopoints):
                points = [(point.id, point.x, point.y) for point in rect.annopoints.point]
                people[image.image.name, ridx] = np.array(points)
    return people


def averaged_heatmaps(cfg, monkeypatch):
    """Run the test again and keep every person's heatmaps after the flip test, (N, 16, 32, 32)."""
    batches = []
    decode = MODELS.get('ACNNHead').decode

    def keep(head, heatmaps):
        batches.append(heatmaps.numpy().copy())
        return decode(head, heatmaps)

    monkeypatch.setattr(MODELS.get('ACNNHead'), 'decode', keep)
    cfg.model.test_cfg.output_stages = False
    assert Runner.from_cfg(cfg).test() == {'mpii_test/people': 4}
    return np.concatenate(batches)


def test_every_coordinate_returns_to_the_maximum_of_its_heatmap(
    cfg, checkpoint, mpii_root, tmp_path, monkeypatch
):
    args = [TOOL, cfg.filename, checkpoint, '--submission', tmp_path / 'out']
    args += ['--work-dir', cfg.work_dir]
    options = ['model.backbone.channels=16', 'model.head.in_channels=16']
    options += ['test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False']
    monkeypatch.setattr(sys, 'argv', [*map(str, args), '--cfg-options', *options])
    runpy.run_path(str(TOOL), run_name='__main__')
    people = read_submission(tmp_path / 'out')
    entries = required(mpii_root)
    assert list(people) == [
        ('000000098.jpg', 2),
        ('000000099.jpg', 1),
        ('000000099.jpg', 2),
        ('000000099.jpg', 3),
    ]

    engine.use_test_set(cfg, str(tmp_path / 'again'))
    cfg.load_from = str(checkpoint)
    assert cfg.model.test_cfg.flip_test
    heatmaps = averaged_heatmaps(cfg, monkeypatch)
    for entry, points, maps in zip(entries, people.values(), heatmaps):
        assert points[:, 0].tolist() == list(range(16))
        # the crop, from MPII's definitions: 1.25 times the box of 200 px x scale around the center,
        # 15 px x scale lower
        side = 1.25 * 200 * entry['scale']
        center = entry['center'] + np.array([0, 15 * entry['scale']])
        in_heatmap = (points[:, 1:] - (center - side / 2)) / side * 32
        maxima = np.array([np.unravel_index(m.argmax(), m.shape)[::-1] for m in maps])
        # decoding moves a quarter of a pixel towards the second highest neighbour
        assert np.abs(in_heatmap - maxima).max() < 0.251
        assert np.abs(in_heatmap - maxima).max() > 0.249
    corners = np.concatenate([p for (name, _), p in people.items() if name == '000000099.jpg'])
    assert corners[:, 1:].min() < 0  # not clipped to the image
    assert corners[:, 2].max() > 240
    pred = loadmat(tmp_path / 'out' / 'pred_keypoints_mpii.mat')['pred']
    assert pred.shape == (1, 2)
    assert pred[0, 1]['annorect'][0, 1]['objpos'][0, 0]['x'] == 320
    assert pred[0, 1]['annorect'][0, 1]['annopoints'][0, 0]['point'].shape == (1, 16)


def test_a_missing_person_is_refused(cfg, checkpoint, tmp_path):
    engine.use_test_set(cfg, str(tmp_path / 'out'))
    cfg.load_from = str(checkpoint)
    cfg.test_dataloader.dataset.indices = [0, 1, 3]
    with pytest.raises(ACNNError, match=r'1 of 4 people .* rectangle 2 of 000000099.jpg'):
        Runner.from_cfg(cfg).test()
    assert not any((tmp_path / 'out').iterdir())


def test_a_scored_person_without_a_position_is_missed(cfg, checkpoint, mpii_root, tmp_path):
    """Nobody can predict it, but the benchmark expects it."""
    content = loadmat(mpii_root / 'annotations' / 'mpii_test_annolist.mat')
    content['single_person'][0, 0] = np.array([1.0, 2.0])
    frame = {key: content[key] for key in ('annolist', 'single_person')}
    savemat(tmp_path / 'frame.mat', frame)
    engine.use_test_set(cfg, str(tmp_path / 'out'))
    cfg.test_evaluator.annolist_file = str(tmp_path / 'frame.mat')
    cfg.load_from = str(checkpoint)
    with pytest.raises(ACNNError, match=r'1 of 5 people .* rectangle 1 of 000000098.jpg'):
        Runner.from_cfg(cfg).test()
    assert not any((tmp_path / 'out').iterdir())


def swap(entries):
    entries[0]['image_index'], entries[2]['image_index'] = 2, 1  # both have a rectangle 2


def swap_within_an_image(entries):
    entries[1]['rect_index'], entries[2]['rect_index'] = 2, 1


def twice(entries):
    entries[3].update(entries[2])


@pytest.mark.parametrize(
    ('change', 'problem'),
    [
        (swap, 'of 000000098.jpg at .* is not rectangle 2 of test image 2'),
        (swap_within_an_image, 'of 000000099.jpg at .* is not rectangle 2 of test image 2'),
        (twice, '2 people of the test annotations are rectangle 2 of test image 2'),
        (
            lambda e: e[0].update(image='000000099.jpg'),
            'of 000000099.jpg .* not rectangle 2 of .* 1 in',
        ),
        (lambda e: e[0].update(image_index=1.0), 'not rectangle 2 of test image 1.0'),
        (lambda e: e[0].update(image_index=True), 'not rectangle 2 of test image True'),
        (lambda e: e[0].update(image_index=0), 'not rectangle 2 of test image 0'),
        (lambda e: e[0].update(image_index=[3]), r'not rectangle 2 of test image \[3\]'),
        (lambda e: e[0].update(rect_index=3), 'not rectangle 3 of test image 1'),
        (lambda e: e[0].pop('rect_index') and None, 'not rectangle None of test image 1 in .*make'),
    ],
)
def test_places_are_compared_with_the_mat_at_the_start(cfg, mpii_root, tmp_path, change, problem):
    engine.use_test_set(cfg, str(tmp_path / 'out'))
    engine.check_data(cfg, 'test')
    entries = required(mpii_root)
    change(entries)
    (tmp_path / 'test.json').write_text(json.dumps(entries))
    cfg.test_dataloader.dataset.ann_file = str(tmp_path / 'test.json')
    with pytest.raises(ACNNError, match=problem):
        engine.check_data(cfg, 'test')


def cut(content):
    content['annolist'] = content['annolist'][:, 1:]


def unscored(content):
    content['single_person'] = content['single_person'][:, :1]


def elsewhere(content):
    content['single_person'][0, 0] = np.array([3.0])


def other(content):
    content['annolist'] = np.zeros((1, 2))


@pytest.mark.parametrize('change', [cut, unscored, elsewhere, other])
def test_another_mat_is_refused_at_the_start(cfg, mpii_root, tmp_path, change):
    content = loadmat(mpii_root / 'annotations' / 'mpii_test_annolist.mat')
    content = {key: content[key] for key in ('annolist', 'single_person')}
    change(content)
    savemat(tmp_path / 'frame.mat', content)
    engine.use_test_set(cfg, str(tmp_path / 'out'))
    cfg.test_evaluator.annolist_file = str(tmp_path / 'frame.mat')
    with pytest.raises(ACNNError, match='frame.mat is not the frame .* in one run of tools/conv'):
        engine.check_data(cfg, 'test')


def test_crops_are_those_of_the_stock_dataset(cfg, mpii_root, tmp_path):
    entries = required(mpii_root)
    joints = {'joints': [[5.0, 5.0]] * 16, 'joints_vis': [1] * 16}
    (tmp_path / 'ann.json').write_text(json.dumps([{**e, **joints} for e in entries]))
    common = dict(data_prefix=dict(img=str(mpii_root / 'images')), test_mode=True)
    stock = DATASETS.build(dict(type='MpiiDataset', ann_file=str(tmp_path / 'ann.json'), **common))
    ann_file = str(mpii_root / 'annotations' / 'mpii_test.json')
    ours = DATASETS.build(dict(type='MpiiTestDataset', ann_file=ann_file, **common))
    assert len(ours) == len(stock) == 4
    for index in range(4):
        sample, reference = ours.get_data_info(index), stock.get_data_info(index)
        assert sample['img_path'] == reference['img_path']
        for key in ('bbox', 'bbox_center', 'bbox_scale', 'img_id', 'id'):
            np.testing.assert_array_equal(sample[key], reference[key])

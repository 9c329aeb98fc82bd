"""What the tools' table of bad data (tests/test_errors.py) does not reach."""

from __future__ import annotations

import json

from acnn_mmpose import engine
from acnn_mmpose.errors import ACNNError

import pytest
from mmpose.registry import DATASETS


def test_good_data_pass_and_are_left_as_they_are(toy_config, toy_root):
    cfg = toy_config(1)
    before, files = cfg.pretty_text, sorted(toy_root.rglob('*'))
    engine.check_data(cfg, 'train', 'val', 'test')
    assert cfg.pretty_text == before
    assert sorted(toy_root.rglob('*')) == files
    cfg.train_dataloader.dataset.ann_file = 'annotations/mpii_gt_val.mat'  # what is bad does not
    with pytest.raises(ACNNError, match='mpii_gt_val.mat can not be read as json'):
        engine.check_data(cfg, 'train', 'val', 'test')
    engine.check_data(cfg, 'val', 'test')


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


@pytest.fixture
def reference(root, toy_root, monkeypatch):
    """Load the reference config where there is no LSPET, with other ratios."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))
    monkeypatch.setenv('ACNN_LSPET_ROOT', 'nowhere')
    path, option = root / 'configs/reference/acnn_reference_phase1.py', 'train_dataloader.dataset'
    return lambda ratios: engine.load_config(
        str(path), cfg_options={f'{option}.sample_ratio_factor': ratios}
    )


def test_data_sets_of_which_nothing_is_shown_need_not_be_there(reference, toy_root):
    cfg = reference([1, 0])
    engine.check_data(cfg, 'train', 'val')
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(dataset) == len(json.loads((toy_root / 'annotations/mpii_train.json').read_text()))
    message = r'needs nowhere/.*, or what else this data set takes its data_root from, to'
    with pytest.raises(ACNNError, match=message):
        engine.check_data(reference([1, 0.5]), 'train')


@pytest.mark.parametrize('ratios', [[1], [0, 0], [1, -1], [1, 'x'], 1])
def test_ratios_that_make_no_sense_are_refused(reference, ratios):
    with pytest.raises(ACNNError, match=r'sample_ratio_factor is .* must be 2 numbers, one per'):
        reference(ratios)


@pytest.mark.parametrize(('limit', 'missing'), [({'max_unreadable': 3}, 3), ({}, 10)])
def test_a_few_missing_images_do_not_keep_training_from_starting(
    toy_config, toy_root, tmp_path, limit, missing
):
    cfg = toy_config(1)
    cfg.train_dataloader.dataset.update(ann_file=str(tmp_path / 'changed.json'), **limit)
    entries = json.loads((toy_root / 'annotations/mpii_train.json').read_text())
    for index, entry in enumerate(entries[: missing + 1]):
        (tmp_path / 'changed.json').write_text(json.dumps(entries))
        engine.check_data(cfg, 'train')
        entry['image'] = f'9000000{index:02d}.jpg'
    (tmp_path / 'changed.json').write_text(json.dumps(entries))
    with pytest.raises(ACNNError, match=rf'00.jpg is missing \(and {missing} more problems'):
        engine.check_data(cfg, 'train')


def test_the_test_set_needs_no_joints(toy_config, toy_root, tmp_path):
    entries = json.loads((toy_root / 'annotations/mpii_val.json').read_text())
    for entry in entries:
        del entry['joints'], entry['joints_vis']
    (tmp_path / 'test.json').write_text(json.dumps(entries))
    cfg = toy_config(1)
    engine.use_test_set(cfg, str(tmp_path / 'submission'))
    cfg.test_dataloader.dataset.ann_file = str(tmp_path / 'test.json')
    cfg.test_evaluator = []
    engine.check_data(cfg, 'test')
    cfg.test_dataloader.dataset.type = 'MpiiDataset'
    with pytest.raises(ACNNError, match='entry 0 has no joints, joints_vis'):
        engine.check_data(cfg, 'test')


@pytest.mark.parametrize('metric', ['MpiiPCKhTable', 'MpiiPCKAccuracy'])
@pytest.mark.parametrize('place', [0, 1])
def test_every_metric_of_mpii_needs_head_boxes(toy_config, metric, place):
    cfg = toy_config(1)
    metrics = [dict(type='PCKAccuracy'), dict(type='PCKAccuracy')]
    metrics[place] = dict(type=metric)
    cfg.val_evaluator = metrics
    engine.check_data(cfg, 'val')
    cfg.val_dataloader.dataset.headbox_file = None
    with pytest.raises(ACNNError, match=f'^{metric} needs the size of heads: set val_dataloader'):
        engine.check_data(cfg, 'val')


def test_the_metainfo_must_have_mpiis_joints(toy_config):
    cfg = toy_config(1)
    cfg.train_dataloader.dataset.metainfo = dict(from_file='configs/_base_/datasets/coco.py')
    cfg.model.head.out_channels = 17
    with pytest.raises(ACNNError, match='metainfo of train_.* has 17 joints, but people in MPII'):
        engine.check_data(cfg, 'train')

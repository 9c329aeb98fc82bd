from __future__ import annotations

import json
from pathlib import Path

from acnn_mmpose.evaluation import evaluate_file
from acnn_mmpose.evaluation.metric import table_rows
from acnn_mmpose.evaluation.pckh import JOINT_GROUPS

import numpy as np
import pytest
from mmengine.runner import Runner


def read_table(work_dir, name):
    (path,) = Path(work_dir).glob(f'*/{name}.json')
    assert path.with_suffix('.md').is_file()
    return {(row['method'], row['measure']): row for row in json.loads(path.read_text())}


def test_table_agrees_with_the_stock_metric_to_the_last_digit(cfg, checkpoint, tmp_path):
    cfg.test_evaluator = [
        dict(type='MpiiPCKAccuracy', prefix='stock'),
        dict(type='MpiiPCKhTable', published=True),
        dict(type='DumpPredictions', file=str(tmp_path / 'dump.npz')),
    ]
    cfg.load_from = str(checkpoint)
    metrics = Runner.from_cfg(cfg).test()
    stock = {k[len('stock/') :]: v for k, v in metrics.items() if k.startswith('stock/')}
    assert 0 < stock['PCK@0.1'] < stock['PCK'] < 100  # figures that can differ
    assert {k: v for k, v in metrics.items() if not k.startswith('stock/')} == stock
    table = read_table(cfg.work_dir, 'pckh_test')
    half = table['prediction', 'PCKh@0.5']
    names = [name for name in stock if '@' not in name]  # Head PCK to Ankle PCK, PCK
    assert [half[column] for column in (*JOINT_GROUPS, 'total_weighted')] == [
        stock[name] for name in names
    ]
    assert table['prediction', 'PCKh@0.1']['total_weighted'] == stock['PCK@0.1']
    assert ('ACNN (paper)', 'PCKh@0.5 (MPII test set, as published)') in table
    check_stages(table)
    check_dump(cfg, tmp_path / 'dump.npz', table)


def check_stages(table):
    for measure in ('PCKh@0.5', 'PCKh@0.1', 'AUC'):
        first, last = table['stage 1, P(1)', measure], table['stage 2, P(2)', measure]
        assert dict(last, method='prediction') == table['prediction', measure]
        assert first['total_weighted'] != last['total_weighted']


def check_dump(cfg, path, table):
    """What test.py --dump wrote scores the same through the tool."""
    dataset = cfg.test_dataloader.dataset
    ann_file = Path(dataset.data_root) / dataset.ann_file
    rows, _ = evaluate_file(path, 0, ann_file, dataset.headbox_file)
    for row in rows:
        expected = table['prediction', row.measure]
        assert row.scores.total_weighted == pytest.approx(expected['total_weighted'], abs=1e-9)


def test_one_person_has_a_table():
    person = dict(
        pred_coords=np.zeros((1, 16, 2)),
        gt_coords=np.ones((1, 16, 2)),
        mask=np.ones((1, 16), bool),
        head_size=np.array([[10.0]]),
    )
    rows = table_rows([person])
    assert [row.measure for row in rows] == ['PCKh@0.5', 'PCKh@0.1', 'AUC']
    assert rows[0].scores.total_weighted == pytest.approx(100)


def test_training_saves_a_table_per_validation(cfg, checkpoint):
    cfg.train_cfg.update(max_epochs=2, val_interval=1)
    del cfg.default_hooks.phase_handover
    runner = Runner.from_cfg(cfg)
    runner.train()
    scalars = runner.message_hub.log_scalars['val/PCK'].data[0]
    for epoch, pck in enumerate(scalars, start=1):
        table = read_table(cfg.work_dir, f'pckh_epoch_{epoch}')
        assert table['prediction', 'PCKh@0.5']['total_weighted'] == pck
    assert list(Path(cfg.work_dir).glob('best_PCK_*.pth'))


def test_evaluators_without_a_table_are_left_alone(cfg, checkpoint):
    cfg.test_evaluator = dict(type='MpiiPCKAccuracy')
    cfg.load_from = str(checkpoint)
    assert 'PCK' in Runner.from_cfg(cfg).test()
    assert not list(Path(cfg.work_dir).glob('*/pckh*'))

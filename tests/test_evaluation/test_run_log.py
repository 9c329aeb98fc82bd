"""Logs of a run, read back."""

from __future__ import annotations

import json
import os

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation import compare_runs, published_rows, read_run, save_table
from acnn_mmpose.evaluation.table import read_table

import pytest


def write_log(folder, entries) -> None:
    path = folder / 'vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    path.write_text('\n'.join(map(json.dumps, entries)))


def entry(epoch: int, step: int, loss: float) -> dict:
    return {'loss': loss, 'lr': 0.1, 'epoch': epoch, 'iter': step, 'step': step}


def test_epochs_are_worked_out_and_a_resumed_run_goes_on(tmp_path):
    """Epochs of 63 steps, logged every 50; stopped in the third and resumed after the second."""
    run = tmp_path / 'phase1'
    write_log(run / '1', [entry(1, 50, 4.0), {'PCK': 1.0, 'step': 1}, entry(2, 113, 3.0)])
    write_log(run / '2', [entry(2, 113, 2.5), entry(3, 176, 2.0)])
    log = read_run(str(run))
    assert log.name == 'phase1'
    assert log.epochs == 3
    epochs, losses = zip(*log.training['loss'])
    assert epochs == pytest.approx((50 / 63, 113 / 63, 176 / 63))
    assert losses == (4.0, 2.5, 2.0)


def test_stages_come_from_the_tables(toy_config):
    cfg = toy_config(1)
    train_in_order([cfg])
    log = read_run(cfg.work_dir)
    assert list(log.scores) == ['stage 1', 'stage 2']
    ((epoch, value),) = log.scores['stage 1']
    assert epoch == 2
    assert 0 <= value <= 100
    assert log.epochs == 2
    assert len(log.training['mask1_coverage']) == 2


def test_scores_of_coco_are_its_precision(tmp_path):
    validations = [{'coco/AP': value, 'step': epoch} for epoch, value in ((1, 0.2), (2, 0.3))]
    write_log(tmp_path / '1', [entry(1, 10, 4.0), entry(2, 20, 3.0), *validations])
    assert read_run(str(tmp_path)).scores == {'AP': [(1, 0.2), (2, 0.3)]}


def test_a_folder_without_a_log_is_refused(tmp_path):
    with pytest.raises(ACNNError, match='holds no log of a training'):
        read_run(str(tmp_path))
    by_iterations = {'loss': 1.0, 'iter': 5, 'step': 5}
    write_log(tmp_path / '1', [by_iterations, 3, [1], None, 'cut'])
    with pytest.raises(ACNNError, match='holds no log of a training by epochs'):
        read_run(str(tmp_path))


def table(total: float) -> list:
    """A table whose prediction scores ``total``, with a stage's row below."""
    row = published_rows()[0]
    row = row._replace(scores=row.scores._replace(total_weighted=total))
    return [
        row._replace(method='prediction', measure='PCKh@0.5'),
        row._replace(method='prediction', measure='AUC'),
        row._replace(method='stage 1, P(1)', measure='PCKh@0.5'),
    ]


def test_a_saved_table_reads_back(tmp_path):
    save_table(table(61.25), tmp_path / 'pckh')
    first, *_ = read_table(tmp_path / 'pckh.json')
    assert first.scores.total_weighted == 61.25
    assert first.scores.groups == table(0)[0].scores.groups
    assert first.scores.mean_unweighted != first.scores.mean_unweighted  # unknown: NaN


def test_the_last_evaluation_of_each_run_counts(tmp_path):
    for run, totals in (('a', (10, 20)), ('b', (40, 30))):
        for i, total in enumerate(totals):
            stem = tmp_path / run / f'log{i}' / 'pckh_epoch_1'
            save_table(table(total), stem)
            os.utime(stem.with_suffix('.json'), (i, i))
    rows = compare_runs([str(tmp_path / 'a'), str(tmp_path / 'b')])
    assert [(row.method, row.scores.total_weighted) for row in rows] == [('a', 20), ('b', 30)]


def test_a_run_without_an_evaluation_is_named(tmp_path):
    with pytest.raises(ACNNError, match=r'holds no table of PCKh .*MpiiPCKhTable.*--work-dir'):
        compare_runs([str(tmp_path)])


@pytest.mark.parametrize('text', ['', '[1]', '[{"method": "x"}]', '{}x', '[' * 100_000])
def test_another_json_is_refused(tmp_path, text):
    (tmp_path / 't.json').write_text(text)
    with pytest.raises(ACNNError, match=r't.json (is not a table|can not be read as json)'):
        read_table(tmp_path / 't.json')

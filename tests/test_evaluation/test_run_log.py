"""Logs of a run, read back."""

from __future__ import annotations

import json

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation import read_run

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

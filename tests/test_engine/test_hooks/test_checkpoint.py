"""Checkpoints: one before the validation that may fail, the best in the run's own folder."""

from __future__ import annotations

import itertools
import shutil
from pathlib import Path
from types import SimpleNamespace

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.engine.hooks import CheckpointAfterValHook
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.evaluation import MpiiPCKhTable

import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop, Runner

ONE_EPOCH = {'train_cfg.max_epochs': 1, 'train_cfg.val_interval': 1}


@pytest.fixture
def without_pictures(toy_config):
    """The config of phase 1, without story boards and tables: without_pictures(**cfg_options)."""
    usual = {'default_hooks.story_board': None, 'default_hooks.pckh_table': None}
    return lambda **options: toy_config(1, **usual, **options)


def test_a_run_in_a_copy_leaves_the_best_of_the_original_alone(
    without_pictures, tmp_path, monkeypatch
):
    scores = itertools.count(1.0)  # the last epoch is the best
    monkeypatch.setattr(MpiiPCKhTable, 'compute_metrics', lambda *_: {'PCK': next(scores)})
    train_in_order([without_pictures(**ONE_EPOCH)])
    original, copy = tmp_path / 'phase1', tmp_path / 'copy'
    shutil.copytree(original, copy)
    cfg = without_pictures(**ONE_EPOCH, work_dir=str(copy))
    cfg.train_cfg.max_epochs = 2
    train_in_order([cfg], resume='auto')
    assert [path.name for path in original.glob('best_*')] == ['best_PCK_epoch_1.pth']
    assert [path.name for path in copy.glob('best_*')] == ['best_PCK_epoch_2.pth']


def test_a_validation_that_fails_costs_no_epoch(without_pictures, tmp_path, monkeypatch):
    def fail(*_):
        raise KeyError('PCK')

    with monkeypatch.context() as patch:
        patch.setattr(MpiiPCKhTable, 'compute_metrics', fail)
        with pytest.raises(KeyError):
            train_in_order([without_pictures(**ONE_EPOCH)])
    saved = tmp_path / 'phase1' / 'epoch_1.pth'
    assert torch.load(saved)['meta']['awaits_validation']

    monkeypatch.setattr(EpochBasedTrainLoop, 'run_epoch', lambda _: pytest.fail('trained again'))
    mended = {
        **ONE_EPOCH,
        'val_evaluator': dict(_delete_=True, type='EPE'),
        'default_hooks.checkpoint.save_best': 'EPE',
        'default_hooks.checkpoint.rule': 'less',
    }
    train_in_order([without_pictures(**mended)], resume='auto')
    checkpoint = torch.load(saved)
    assert not checkpoint['meta']['awaits_validation']
    assert checkpoint['message_hub']['log_scalars']['val/EPE'].data[0].size == 1
    assert (tmp_path / 'phase1' / 'best_EPE_epoch_1.pth').is_file()

    monkeypatch.setattr(Runner, 'train', lambda _: pytest.fail('not finished'))
    train_in_order([without_pictures(**mended)], resume='auto')


def test_an_evaluator_that_does_not_fit_is_named():
    said = []
    runner = SimpleNamespace(logger=SimpleNamespace(warning=said.append))
    hook = CheckpointAfterValHook(save_best='PCK', rule='greater')
    hook._save_best_checkpoint(runner, {'beauty': 1.0})
    assert said[0].startswith("no best checkpoint is saved, for the evaluator gives no 'PCK' (metr")


def test_to_keep_one_checkpoint_only_is_refused():
    with pytest.raises(ACNNError, match='max_keep_ckpts=1 would leave no checkpoint.*at least 2'):
        CheckpointAfterValHook(max_keep_ckpts=1)


def test_validation_alone_gives_its_metrics(toy_config, trained):
    runner = Runner.from_cfg(toy_config(1, load_from=str(trained['pose'])))
    assert 0 <= runner.val()['PCK'] <= 100
    assert not list(Path(runner.work_dir).glob('*.pth'))

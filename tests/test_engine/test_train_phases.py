"""Several phases in order, stopped and resumed."""

from __future__ import annotations

import shutil
from pathlib import Path

from acnn_mmpose.engine import train_in_order
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmengine.runner import EpochBasedTrainLoop, Runner


@pytest.fixture
def phases_trained(monkeypatch):
    """The work_dirs in which Runner.train() was called, with what it started from."""
    calls = []
    train = Runner.train

    def record(self):
        calls.append((Path(self.work_dir).name, self._load_from, self._resume))
        return train(self)

    monkeypatch.setattr(Runner, 'train', record)
    return calls


def test_each_phase_starts_from_the_last_checkpoint_of_the_one_before(
    toy_config, tmp_path, phases_trained
):
    train_in_order([toy_config(1), toy_config(2), toy_config(3)])
    assert phases_trained == [
        ('phase1', None, False),
        ('phase2', str(tmp_path / 'phase1' / 'epoch_2.pth'), False),
        ('phase3', str(tmp_path / 'phase2' / 'epoch_2.pth'), False),
    ]
    for n in (1, 2, 3):  # each phase logs into its own work_dir
        (log,) = (tmp_path / f'phase{n}').glob('*/vis_data/scalars.json')
        assert '"loss_kpt"' in log.read_text()


def test_resume_skips_the_finished_goes_on_with_the_started_and_starts_the_rest(
    toy_config, tmp_path, phases_trained
):
    train_in_order([toy_config(1), toy_config(2, **{'train_cfg.max_epochs': 1})])
    phases_trained.clear()
    train_in_order([toy_config(1), toy_config(2), toy_config(3)], resume='auto')
    assert phases_trained == [
        ('phase2', str(tmp_path / 'phase2' / 'epoch_1.pth'), True),
        ('phase3', str(tmp_path / 'phase2' / 'epoch_2.pth'), False),
    ]
    phases_trained.clear()
    train_in_order([toy_config(1), toy_config(2), toy_config(3)], resume='auto')
    assert phases_trained == []


def test_resume_keeps_the_optimizer_and_the_schedule(toy_config, tmp_path, monkeypatch):
    options = {'param_scheduler.0.milestones': [1], 'optim_wrapper.optimizer.lr': 5e-4}
    train_iter = EpochBasedTrainLoop.run_iter

    def stop_in_the_second_epoch(self, *args):
        if self.epoch == 1:
            raise KeyboardInterrupt
        train_iter(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(EpochBasedTrainLoop, 'run_iter', stop_in_the_second_epoch)
        with pytest.raises(KeyboardInterrupt, match=r'^stopped; --resume goes on from .*epoch_1'):
            train_in_order([toy_config(1, **options)])
    assert (tmp_path / 'phase1' / 'epoch_1.pth').is_file()
    train_in_order([toy_config(1, **options)], resume='auto')
    optimizer = torch.load(tmp_path / 'phase1' / 'epoch_2.pth')['optimizer']
    assert optimizer['param_groups'][0]['lr'] == pytest.approx(5e-5)
    # 3 steps an epoch: a count of 6 means that the state of the first epoch was kept
    assert {int(state['step']) for state in optimizer['state'].values()} == {6}


def test_resume_without_a_checkpoint_starts_from_load_from(toy_config, tmp_path, phases_trained):
    train_in_order([toy_config(1)])
    file = str(tmp_path / 'phase1' / 'epoch_2.pth')
    train_in_order([toy_config(2, load_from=file)], resume='auto')
    assert phases_trained[-1] == ('phase2', file, False)


@pytest.mark.parametrize('numbers', [(1, 3), (2, 1), (3, 2)])
def test_phases_in_the_wrong_order_are_refused_before_training(toy_config, numbers, phases_trained):
    with pytest.raises(
        ACNNError,
        match='can not follow phase.*order is pose, attention, joint',
    ):
        train_in_order([toy_config(n) for n in numbers])
    assert phases_trained == []


@pytest.mark.parametrize(
    'other',
    [
        {'model.backbone.channels': 32, 'model.head.in_channels': 32},
        {'model.backbone.mask_mode': 'ones'},
    ],
)
def test_configs_that_do_not_fit_each_other_are_refused_before_training(
    toy_config, phases_trained, other
):
    with pytest.raises(
        ACNNError, match=r'acnn_toy_phase2.py can not start from .*acnn_toy_phase1.py'
    ):
        train_in_order([toy_config(1, **other), toy_config(2)])
    assert phases_trained == []


def test_models_without_phases_do_not_follow_each_other(toy_config, phases_trained):
    cfgs = [toy_config(1), toy_config(2)]
    cfgs[1].model = dict(type='TopdownPoseEstimator')
    with pytest.raises(
        ACNNError, match='acnn_toy_phase2.py trains a TopdownPoseEstimator, .* alone'
    ):
        train_in_order(cfgs)
    assert phases_trained == []


@pytest.mark.parametrize('link', ['phase1', 'phase2/../phase1', 'link'])
def test_two_configs_in_one_work_dir_are_refused(toy_config, tmp_path, link):
    first, second = toy_config(1), toy_config(2)
    (tmp_path / 'link').symlink_to(tmp_path / 'phase1')
    second.work_dir = str(tmp_path / link)
    with pytest.raises(ACNNError, match='same work_dir'):
        train_in_order([first, second])
    second.work_dir = f'{first.work_dir}/../phase1'  # another name of it
    with pytest.raises(ACNNError, match='same work_dir'):
        train_in_order([first, second])


def test_one_checkpoint_can_not_resume_several_configs(toy_config):
    with pytest.raises(ACNNError, match='--resume some.pth names one checkpoint'):
        train_in_order([toy_config(1), toy_config(2)], resume='some.pth')


def test_a_work_dir_of_another_run_is_refused_before_training(toy_config, phases_trained):
    train_in_order([toy_config(1)])
    phases_trained.clear()
    with pytest.raises(ACNNError, match=r'phase1 holds the checkpoints of another run.*--resume'):
        train_in_order([toy_config(1), toy_config(2)])
    assert phases_trained == []


def test_resume_before_the_configs_takes_one_for_its_checkpoint(toy_config):
    with pytest.raises(ACNNError, match=r'--resume took phase1.py.*after the configs'):
        train_in_order([toy_config(2)], resume='phase1.py')


def test_mmengines_own_resume_finds_the_checkpoint_without_its_note(toy_config, tmp_path):
    """`mim train --resume` after a kill between the checkpoint and the note of it."""
    train_in_order([toy_config(1, **{'train_cfg.max_epochs': 1})])
    (tmp_path / 'phase1' / 'last_checkpoint').unlink()
    runner = Runner.from_cfg(toy_config(1, resume=True))
    runner.train()
    assert runner.iter == 6
    assert runner._load_from == str(tmp_path / 'phase1' / 'epoch_1.pth')


def test_a_stop_while_mmengine_formats_a_config_is_a_stop(toy_config, monkeypatch):
    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr('mmengine.config.config.FormatCode', stop)
    with pytest.raises(KeyboardInterrupt, match='^stopped; no checkpoint is saved yet$'):
        train_in_order([toy_config(1)])


@pytest.mark.parametrize(
    'options',
    [
        {'train_cfg': dict(_delete_=True, type='IterBasedTrainLoop', max_iters=1)},
        {'default_hooks.checkpoint.by_epoch': False},
    ],
)
def test_runs_that_do_not_count_epochs_are_refused(toy_config, options):
    with pytest.raises(ACNNError, match='saved, validated and resumed by epochs: set train_cfg.by'):
        Runner.from_cfg(toy_config(1, **options)).train()


def test_a_run_by_epochs_does_not_go_on_by_iterations(toy_config, trained, tmp_path):
    loop = {'train_cfg': dict(_delete_=True, type='IterBasedTrainLoop', max_iters=9)}
    shutil.copytree(trained['pose'].parent, tmp_path / 'phase1')
    with pytest.raises(ACNNError, match='saved, validated and resumed by epochs'):
        train_in_order([toy_config(1, **loop)], resume='auto')

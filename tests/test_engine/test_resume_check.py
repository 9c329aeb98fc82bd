"""A resumed run goes on as it was trained, or not at all."""

from __future__ import annotations

from types import SimpleNamespace

from acnn_mmpose.engine.resume_check import check_resumption
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS
from mmengine.runner import Runner

from tests.conftest import edit


def test_averaged_weights_are_resumed_with_averaging_only(toy_config, trained, tmp_path):
    file = edit(trained['pose'], tmp_path / 'x.pth', lambda c: c.update(ema_state_dict={}))
    with pytest.raises(ACNNError, match='was saved with EMAHook, but the config is without it'):
        Runner.from_cfg(toy_config(1, load_from=file, resume=True)).train()
    cfg = toy_config(1, load_from=str(trained['pose']), resume=True)
    cfg.custom_hooks = [dict(type='EMAHook')]
    with pytest.raises(ACNNError, match='was saved without EMAHook, but the config is with it'):
        Runner.from_cfg(cfg).train()


STEP = dict(type='MultiStepLR', milestones=[1], gamma=0.5)


@pytest.mark.parametrize(
    ('options', 'difference'),
    [
        ({'param_scheduler': [STEP, STEP]}, 'lr is 0.002 there, and 0.0005 by the config'),
        ({'param_scheduler.0.milestones': [1, 77]}, 'lr is 0.002 there'),
        ({'param_scheduler': [dict(type='LinearLR', end=9)]}, 'lr is 0.002 there'),
        ({'optim_wrapper.optimizer.lr': 1e-5}, 'lr is 0.002 there, and 1e-05 by the config'),
        ({'optim_wrapper.optimizer.alpha': 0.5}, 'alpha is 0.99 there, and 0.5 by the config'),
    ],
)
def test_another_optimizer_or_schedule_is_not_resumed(toy_config, trained, options, difference):
    cfg = toy_config(1, load_from=str(trained['pose']), resume=True, **options)
    with pytest.raises(ACNNError, match=f'epoch_2.pth was trained with .*{difference}.*load_from='):
        Runner.from_cfg(cfg).train()


def test_a_longer_run_takes_the_rest_of_its_schedule_from_the_config(toy_config, trained):
    longer = {'train_cfg.max_epochs': 3, 'param_scheduler.0.milestones': [2]}
    cfg = toy_config(1, load_from=str(trained['pose']), resume=True, **longer)
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.param_schedulers[0].end == 3
    assert runner.optim_wrapper.get_lr()['lr'][0] == cfg.optim_wrapper.optimizer.lr / 10


COSINE = dict(type='CosineAnnealingLR', eta_min=0.1)
BY_ITERATION = dict(by_epoch=False, end=3 * 8)


def prepare(schedules: list[dict], epochs: int) -> SimpleNamespace:
    """What is checked of a Runner that trains so many epochs of 3 iterations."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedulers = [
        PARAM_SCHEDULERS.build({'optimizer': optimizer, 'end': epochs, **schedule})
        for schedule in schedules
    ]
    return SimpleNamespace(
        optim_wrapper=optimizer, param_schedulers=schedulers, hooks=[], _load_from='x.pth'
    )


def rates(runner: SimpleNamespace, epochs: int) -> list[float]:
    """Train so many epochs, and return the learning rate after each."""
    found = []
    for _ in range(epochs):
        for by_epoch in (False, False, False, True):
            runner.optim_wrapper.step()
            for scheduler in runner.param_schedulers:
                if scheduler.by_epoch == by_epoch:
                    scheduler.step()
        found.append(runner.optim_wrapper.param_groups[0]['lr'])
    return found


@pytest.mark.parametrize('trained_epochs', [2, 4])
@pytest.mark.parametrize(
    ('schedules', 'is_resumed'),
    [
        ([dict(type='MultiStepLR', milestones=[2, 4, 6])], True),
        ([dict(type='ExponentialLR', gamma=0.5)], True),
        ([dict(COSINE, T_max=3)], True),
        ([dict(COSINE, end=4)], True),
        ([dict(type='LinearLR', **BY_ITERATION), dict(type='StepLR', step_size=3)], True),
        ([dict(type='LinearLR')], False),
        ([dict(type='PolyLR')], False),
        ([COSINE], False),
    ],
)
def test_a_longer_run_has_the_rates_of_its_config_or_is_refused(
    schedules, is_resumed, trained_epochs
):
    short, long = prepare(schedules, 4), prepare(schedules, 8)
    rates(short, trained_epochs)
    checkpoint = dict(
        optimizer=short.optim_wrapper.state_dict(),
        param_schedulers=[dict(scheduler.state_dict()) for scheduler in short.param_schedulers],
        meta=dict(epoch=trained_epochs, iter=3 * trained_epochs),
    )
    if not is_resumed:
        with pytest.raises(ACNNError, match='lr is .* there, and .* the end of its schedule'):
            check_resumption(long, checkpoint)
        return
    check_resumption(long, checkpoint)
    resumed = prepare(schedules, 8)
    resumed.optim_wrapper.load_state_dict(checkpoint['optimizer'])
    for scheduler, state in zip(resumed.param_schedulers, checkpoint['param_schedulers']):
        scheduler.load_state_dict(state)
    uninterrupted = rates(prepare(schedules, 8), 8)
    assert rates(resumed, 8 - trained_epochs) == uninterrupted[trained_epochs:]


@pytest.mark.parametrize('part', ['averages', 'optimizer'])
def test_what_is_not_finite_is_not_resumed(toy_config, trained, tmp_path, part):
    def spoil(checkpoint):
        if part == 'averages':
            averages = {f'module.{k}': v.clone() for k, v in checkpoint['state_dict'].items()}
            averages['module.head.multi_final_layers.0.bias'][0] = float('nan')
            checkpoint['ema_state_dict'] = averages
        else:
            checkpoint['optimizer']['state'][0]['square_avg'].fill_(float('inf'))

    file = edit(trained['pose'], tmp_path / 'x.pth', spoil)
    with pytest.raises(ACNNError, match='x.pth can not be used: .* is not finite'):
        Runner.from_cfg(toy_config(1, load_from=file, resume=True)).train()

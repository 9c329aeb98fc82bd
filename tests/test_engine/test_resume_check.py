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
        ({'param_scheduler': [STEP, STEP]}, 'entries in param_scheduler was 1, and is 2'),
        ({'param_scheduler': None}, 'entries in param_scheduler was 1, and is 0'),
        ({'param_scheduler.0.milestones': [77]}, r'0.milestones was \[.*\], and is \[77\]'),
        ({'param_scheduler.0.gamma': 0.7}, 'param_scheduler.0.gamma was 0.1, and is 0.7'),
        ({'param_scheduler': [dict(type='LinearLR')]}, '0.start_factor was None, and is 0.3'),
        ({'optim_wrapper.optimizer.lr': 1e-5}, 'optimizer.lr was .*, and is 1e-05'),
        ({'optim_wrapper.optimizer.alpha': 0.5}, 'optimizer.alpha was 0.99, and is 0.5'),
    ],
)
def test_another_optimizer_or_schedule_is_not_resumed(toy_config, trained, options, difference):
    cfg = toy_config(1, load_from=str(trained['pose']), resume=True, **options)
    with pytest.raises(ACNNError, match=f'epoch_2.pth was trained with .*{difference}.*load_from='):
        Runner.from_cfg(cfg).train()


def test_a_longer_run_takes_the_end_of_its_schedule_from_the_config(toy_config, trained):
    cfg = toy_config(1, load_from=str(trained['pose']), resume=True, **{'train_cfg.max_epochs': 3})
    runner = Runner.from_cfg(cfg)
    runner.train()
    assert runner.param_schedulers[0].end == 3


COSINE = dict(type='CosineAnnealingLR', eta_min=0.1)


def prepare(schedule: dict, epochs: int) -> SimpleNamespace:
    """What is checked of a Runner that trains so many epochs, with its scheduler."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = PARAM_SCHEDULERS.build({'optimizer': optimizer, 'end': epochs, **schedule})
    return SimpleNamespace(
        optim_wrapper=optimizer, param_schedulers=[scheduler], hooks=[], _load_from='x.pth'
    )


def rates(runner: SimpleNamespace, epochs: int) -> list[float]:
    """Train so many epochs, and return the learning rate after each."""
    found = []
    for _ in range(epochs):
        runner.optim_wrapper.step()
        runner.param_schedulers[0].step()
        found.append(runner.optim_wrapper.param_groups[0]['lr'])
    return found


@pytest.mark.parametrize('trained_epochs', [2, 4])
@pytest.mark.parametrize(
    ('schedule', 'is_resumed'),
    [
        (dict(type='MultiStepLR', milestones=[2, 4, 6]), True),
        (dict(type='ExponentialLR', gamma=0.5), True),
        (dict(COSINE, T_max=3), True),
        (dict(COSINE, end=4), True),
        (dict(type='LinearLR'), False),
        (dict(type='PolyLR'), False),
        (COSINE, False),
    ],
)
def test_a_longer_run_has_the_rates_of_its_config_or_is_refused(
    schedule, is_resumed, trained_epochs
):
    short, long = prepare(schedule, 4), prepare(schedule, 8)
    rates(short, trained_epochs)
    optimizer, (scheduler,) = short.optim_wrapper, short.param_schedulers
    checkpoint = dict(
        optimizer=optimizer.state_dict(), param_schedulers=[dict(scheduler.state_dict())]
    )
    if not is_resumed:
        sentence = f'{schedule["type"]} that ends after 4 epochs, and ends after 8 in the config'
        with pytest.raises(ACNNError, match=f'{sentence}.*set param_scheduler.0.end to'):
            check_resumption(long, checkpoint)
        return
    check_resumption(long, checkpoint)
    long.optim_wrapper.load_state_dict(checkpoint['optimizer'])
    long.param_schedulers[0].load_state_dict(checkpoint['param_schedulers'][0])
    uninterrupted = rates(prepare(schedule, 8), 8)
    assert rates(long, 8 - trained_epochs) == pytest.approx(uninterrupted[trained_epochs:])


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

"""A resumed run goes on as it was trained, or not at all."""

from __future__ import annotations

from acnn_mmpose.errors import ACNNError

import pytest
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

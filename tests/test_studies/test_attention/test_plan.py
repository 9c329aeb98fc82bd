from __future__ import annotations

import json
from pathlib import Path

from acnn_mmpose.errors import ACNNError
from studies.attention import load_plan
from studies.attention.plan import Phase
from studies.attention.steps import build_config, phase_key

import pytest
import torch
from mmpose.registry import MODELS

from tests.conftest import ROOT
from tests.test_studies.test_attention.conftest import write_plan

PLANS = sorted((ROOT / 'studies/attention/plans').glob('*.py'))


def test_runs_are_every_variant_with_the_first_seed_then_the_next(plan):
    runs = [(run.variant, run.seed) for run in plan.runs()]
    names = ['hourglass', 'acnn', 'bias_4']
    assert runs == [(name, seed) for seed in (0, 1) for name in names]
    assert [(r.variant, r.seed) for r in plan.runs([1], ['acnn'])] == [('acnn', 1)]
    assert [phase.epochs for phase in plan.runs([1], ['acnn'])[0].phases] == [1, 1, 1]


@pytest.mark.parametrize(('seeds', 'variants'), [([7], None), (None, ['none'])])
def test_a_run_that_is_not_planned_is_refused(plan, seeds, variants):
    with pytest.raises(ACNNError, match="experiment 'tiny' has no .*choose from"):
        plan.runs(seeds, variants)


def test_variants_of_different_budgets_are_refused(tmp_path):
    with pytest.raises(ACNNError, match="'hourglass' of .* trains for 4 epochs.* budget of 3"):
        load_plan(write_plan(tmp_path, epochs=4))


@pytest.mark.parametrize('missing', ['name', 'budget', 'title', 'figures'])
def test_what_a_plan_lacks_is_named(tmp_path, missing):
    path = Path(write_plan(tmp_path))
    path.write_text(path.read_text().replace(missing, 'other'))
    with pytest.raises(ACNNError, match=f'is not an experiment .*{missing}.*it needs name'):
        load_plan(str(path))


def test_the_schedule_keeps_its_shape_and_options_come_last(plan):
    config = str(ROOT / 'configs/acnn_phase1.py')  # 200 epochs, drops at 120 and 170
    cfg = build_config(plan, Phase(config, 20), seed=5)
    assert cfg.train_cfg.max_epochs == 20
    assert cfg.param_scheduler[0].milestones == [12, 17]
    assert cfg.randomness.seed == 5
    options = {'param_scheduler.0.milestones': [3], 'model.backbone.mask_branch.init_bias': 1.0}
    cfg = build_config(plan, Phase(config, 20, options), seed=5)
    assert cfg.param_scheduler[0].milestones == [3]
    assert cfg.model.backbone.mask_branch.init_bias == 1.0
    assert build_config(plan, Phase(config, 1), seed=5).param_scheduler[0].milestones == []


def test_an_unknown_figure_is_refused_before_anything_trains(tmp_path):
    path = Path(write_plan(tmp_path))
    path.write_text(path.read_text().replace("'gradients'", "'gradient'"))
    with pytest.raises(ACNNError, match="unknown figure 'gradient': choose of .*'gradients'"):
        load_plan(str(path))


def test_a_variant_that_nothing_is_like_is_refused(tmp_path):
    path = Path(write_plan(tmp_path))
    path.write_text(path.read_text().replace("dict(title='ACNN',", "dict(title='ACNN', over='it',"))
    with pytest.raises(ACNNError, match=r"'acnn' of .* is to be compared with 'it', which is not"):
        load_plan(str(path))


def test_options_that_do_not_fit_are_refused(plan):
    phase = Phase(str(ROOT / 'configs/acnn_phase1.py'), 20, {'model.backbone.depth.x': 1})
    with pytest.raises(ACNNError, match="options of experiment 'tiny' do not fit .*acnn_phase1"):
        build_config(plan, phase, seed=0)


def test_options_of_all_phases_come_before_those_of_one(tmp_path):
    path = Path(write_plan(tmp_path))
    shared = {'model.backbone.mask_branch.init_bias': 1.0, 'model.backbone.depth': 3}
    path.write_text(f'{path.read_text()}\noptions = {shared}\n')
    variants = load_plan(str(path)).variants
    name = 'model.backbone.mask_branch.init_bias'
    assert [phase.options[name] for phase in variants['acnn']] == [1.0, 1.0, 1.0]
    assert [phase.options[name] for phase in variants['bias_4']] == [1.0, 4.0, 4.0]
    assert variants['bias_4'][1].options['model.backbone.depth'] == 3


def test_a_key_names_what_decides_the_weights_and_nothing_else(plan, monkeypatch):
    phase, pipeline = plan.variants['acnn'][1], 'train_dataloader.dataset.pipeline'

    def key(data='d', start='s', seed=0, **options):
        cfg = build_config(plan, Phase(phase.config, 1, {**phase.options, **options}), seed)
        return phase_key(cfg, data, start)

    one = key()
    monkeypatch.setenv('ACNN_DATA_ROOT', '/elsewhere')
    same = {
        'train_cfg.val_interval': 1,
        'train_dataloader.num_workers': 3,
        'custom_hooks': [dict(type='AnyHookThatWatches')],
        # the same bits
        f'{pipeline}.LoadReadableImage.crop_cache': 'crops',
        f'{pipeline}.FastBBoxTransform.type': 'RandomBBoxTransform',
        f'{pipeline}.GenerateTarget.encoder.type': 'MSRAHeatmap',
    }
    assert key(**{**same, 'model.test_cfg.flip_test': False}) == one
    others = [key(data='other'), key(start=None), key(seed=1)]
    others += [
        key(**{name: value})
        for name, value in {
            'model.backbone.mask_mode': 'soft',
            'optim_wrapper.optimizer.lr': 1.0,
            'train_dataloader.batch_size': 3,
            'param_scheduler.0.gamma': 0.5,
            'custom_hooks': [dict(type='EMAHook')],
            'default_hooks.ema': dict(type='EMAHook', momentum=0.1),
            'auto_scale_lr.enable': True,
        }.items()
    ]
    assert len({one, *others}) == 11


@pytest.mark.parametrize('path', PLANS, ids=lambda path: path.stem)
def test_the_projects_plans_load_and_their_phases_follow_each_other(path):
    plan = load_plan(str(path))
    assert plan.name == path.stem
    assert len(plan.seeds) >= 3
    models = {}
    for run in plan.runs(plan.seeds[:1]):
        json.dumps(run.declared())
        cfgs = [build_config(plan, phase, 0).model for phase in run.phases]
        models.update((str(cfg), cfg) for cfg in cfgs)
        phases = [cfg.phase for cfg in cfgs]
        assert phases[0] in ('pose', 'joint_from_scratch')
        follows = {'pose': 'pose', 'attention': 'pose', 'joint_after_pose': 'pose'}
        for before, after in zip(phases, phases[1:]):
            assert before == follows.get(after, 'attention')
    with torch.device('meta'):
        for cfg in models.values():
            MODELS.build(cfg)

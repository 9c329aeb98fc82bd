"""The configs in configs/: they build anywhere and say what the paper says."""

from __future__ import annotations

from studies.attention.plan import load_plan
from studies.attention.steps import build_config

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.optim import build_optim_wrapper
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, KEYPOINT_CODECS, METRICS, MODELS

from .conftest import ROOT

CONFIGS = sorted(p for p in (ROOT / 'configs').rglob('*.py') if '_base_' not in p.parts)


@pytest.mark.parametrize('path', CONFIGS, ids=lambda p: str(p.relative_to(ROOT / 'configs')))
def test_config_builds_from_a_foreign_working_directory(
    path, toy_root, coco_root, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    is_coco = path.parent.name == 'coco'
    monkeypatch.setenv('ACNN_DATA_ROOT', str(coco_root if is_coco else toy_root))
    monkeypatch.setenv('ACNN_LSPET_ROOT', str(toy_root))
    cfg = Config.fromfile(path)
    model = MODELS.build(cfg.model)
    train, val = (DATASETS.build(cfg[f'{split}_dataloader'].dataset) for split in ('train', 'val'))
    for split in ('val', 'test'):
        Evaluator(cfg[f'{split}_evaluator'])
    sample = train[0]
    width, height = cfg.codec.input_size
    assert sample['inputs'].shape == (3, height, width)
    heatmaps = sample['data_samples'].gt_fields.heatmaps
    stages = model.eval().backbone(sample['inputs'][None].float())
    assert model.head(stages)[-1].shape[1:] == heatmaps.shape
    assert is_coco or 'head_size' in val[0]['data_samples'].gt_instances


@pytest.mark.parametrize(
    ('number', 'phase', 'epochs', 'lr', 'milestones'),
    [
        (1, 'pose', 200, 5e-4, [120, 170]),
        (2, 'attention', 200, 2.5e-4, [120, 170]),
        (3, 'joint', 100, 2.5e-4, [50, 70]),
    ],
)
def test_schedule_is_the_papers(number, phase, epochs, lr, milestones):
    """Section 3.3."""
    cfg = Config.fromfile(ROOT / f'configs/acnn_phase{number}.py')
    assert cfg.model.phase == phase
    assert cfg.train_cfg.max_epochs == epochs
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.alpha) == ('RMSprop', lr, 0.99)
    (scheduler,) = cfg.param_scheduler
    assert (scheduler.type, scheduler.milestones, scheduler.gamma) == (
        'MultiStepLR',
        milestones,
        0.1,
    )
    assert cfg.train_dataloader.batch_size == 6  # "a minibatch size of 12 (6 per GPU)"
    assert cfg.auto_scale_lr.base_batch_size == 12
    assert cfg.model.backbone.num_stages == 4
    assert cfg.model.backbone.mask_mode == 'hard'


def test_the_fast_form_of_the_optimizer_takes_the_same_steps(build_model):
    cfg = Config.fromfile(ROOT / 'configs/acnn_phase3.py')
    assert cfg.optim_wrapper.optimizer.foreach
    ended = []
    for foreach in (True, False):
        torch.manual_seed(0)
        model = build_model()
        cfg.optim_wrapper.optimizer.foreach = foreach
        optimizer = build_optim_wrapper(model, cfg.optim_wrapper)
        for _ in range(5):
            for weight in model.parameters():
                weight.grad = torch.randn_like(weight)
            optimizer.step()
        ended.append(list(model.parameters()))
    assert all(map(torch.equal, *ended))


def test_phases_differ_in_nothing_else():
    """Whoever compares two phases sees Section 3.3."""
    first, second, third = (
        Config.fromfile(ROOT / f'configs/acnn_phase{n}.py').to_dict() for n in (1, 2, 3)
    )
    for cfg in (second, third):
        cfg['model']['phase'] = first['model']['phase']
        cfg['optim_wrapper']['optimizer']['lr'] = first['optim_wrapper']['optimizer']['lr']
    assert second == first
    third['train_cfg']['max_epochs'] = first['train_cfg']['max_epochs']
    third['param_scheduler'][0]['milestones'] = first['param_scheduler'][0]['milestones']
    assert third == first


@pytest.mark.parametrize('number', [1, 2, 3])
def test_phases_on_coco_are_those_on_mpii(number):
    mpii, coco = (
        Config.fromfile(ROOT / f'configs/{name}_phase{number}.py')
        for name in ('acnn', 'coco/acnn_coco')
    )
    for name in ('train_cfg', 'optim_wrapper', 'param_scheduler', 'auto_scale_lr'):
        assert coco[name] == mpii[name]
    assert coco.model.phase == mpii.model.phase
    assert coco.model.backbone == mpii.model.backbone
    assert coco.default_hooks.checkpoint.save_best == 'coco/AP'


def test_true_joints_score_a_precision_of_one_on_coco(coco_root, monkeypatch):
    """Targets, decoding and metric count pixels alike, from 0."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(coco_root))
    cfg = Config.fromfile(ROOT / 'configs/coco/acnn_coco_phase1.py')
    dataset = DATASETS.build(cfg.val_dataloader.dataset)
    metric = METRICS.build(cfg.val_evaluator)
    metric.dataset_meta = dataset.metainfo
    codec, errors, samples = KEYPOINT_CODECS.build(cfg.codec), [], []
    for item in dataset:
        sample = item['data_samples']
        true = sample.gt_instances
        corner = sample.input_center - sample.input_scale / 2
        zoom = np.array(codec.input_size) / sample.input_scale
        encoded = codec.encode((true.keypoints - corner) * zoom, true.keypoints_visible)
        found, scores = codec.decode(encoded['heatmaps'])
        found = found / zoom + corner
        errors.append((found - true.keypoints)[encoded['keypoint_weights'] > 0])
        sample.pred_instances = InstanceData(
            keypoints=found,
            keypoint_scores=scores,
            bboxes=true.bboxes,
            bbox_scores=true.bbox_scores,
        )
        samples.append(sample.to_dict())
    metric.process({}, samples)
    assert metric.evaluate(len(dataset))['coco/AP'] == pytest.approx(1)
    assert np.abs(np.concatenate(errors).mean(0)).max() < 0.3


def test_data_root_comes_from_one_place(monkeypatch):
    path = ROOT / 'configs/acnn_phase1.py'
    assert 'data/mpii/' in Config.fromfile(path).pretty_text
    monkeypatch.setenv('ACNN_DATA_ROOT', '/somewhere')
    cfg = Config.fromfile(path)
    assert 'data/mpii' not in cfg.pretty_text
    for split in ('train', 'val', 'test'):
        assert cfg[f'{split}_dataloader'].dataset.data_root == '/somewhere'
    assert cfg.val_dataloader.dataset.headbox_file == '/somewhere/annotations/mpii_gt_val.mat'


def test_the_plus_recipe_takes_the_papers_budget_and_has_the_shape_that_was_tried():
    """15 epochs of the experiment stand for 500."""
    plan = load_plan(str(ROOT / 'studies/attention/plans/late.py'))
    tried = [build_config(plan, phase, 0) for phase in plan.variants['late_half']]
    plus = [Config.fromfile(ROOT / f'configs/acnn_background_price_phase{n}.py') for n in (1, 2, 3)]
    assert sum(cfg.train_cfg.max_epochs for cfg in plus) == 500
    for ours, theirs in zip(plus, tried):
        scale = ours.train_cfg.max_epochs / theirs.train_cfg.max_epochs
        assert scale == pytest.approx(500 / 15, rel=0.02)
        assert ours.model.phase == theirs.model.phase
        assert ours.model.head.get('coverage_loss') == theirs.model.head.get('coverage_loss')
        drops, tried_drops = (c.param_scheduler[0].milestones for c in (ours, theirs))
        assert drops == pytest.approx([scale * drop for drop in tried_drops], abs=1)
        rates = [c.optim_wrapper.optimizer.lr for c in (ours, plus[0], theirs, tried[0])]
        assert rates[0] / rates[1] == pytest.approx(rates[2] / rates[3])

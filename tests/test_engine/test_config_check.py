"""What the tools' table of bad configs (tests/test_errors.py) does not reach."""

from __future__ import annotations

from acnn_mmpose import engine
from acnn_mmpose.engine.config_check import check_config
from acnn_mmpose.errors import ACNNError

import pytest
import torch


@pytest.mark.parametrize(
    'path',
    ['hourglass', *(f'{name}{n}' for name in ('acnn_phase', 'toy/acnn_toy_phase') for n in '123')],
)
def test_our_configs_pass(root, path):
    cfg = engine.load_config(str(root / f'configs/{path}.py'))
    assert cfg.model.type == 'ACNN'


def test_the_check_leaves_config_and_random_numbers_alone(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'))
    before, state = cfg.pretty_text, torch.get_rng_state()
    check_config(cfg)
    assert cfg.pretty_text == before
    assert torch.equal(torch.get_rng_state(), state)
    assert engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py')).pretty_text == before


def test_sections_may_be_missing(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'))
    for name in ('train_dataloader', 'val_dataloader', 'train_cfg', 'optim_wrapper'):
        cfg[name] = None
    cfg.pop('test_dataloader')
    check_config(cfg)
    cfg.model.head.in_channels = 8  # what is there is still checked
    with pytest.raises(ACNNError, match='model.head.in_channels is 8, but the backbone gives 64'):
        check_config(cfg)


def test_models_of_other_kinds_need_only_build(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'))
    cfg.model = dict(
        type='TopdownPoseEstimator',
        backbone=dict(type='ResNet', depth=18),
        # no size that the pipelines have
        head=dict(type='HeatmapHead', in_channels=512, out_channels=16, decoder=cfg.codec),
    )
    cfg.model.head.decoder.input_size = (64, 64)
    check_config(cfg)
    cfg.model.backbone.depth = 19
    with pytest.raises(ACNNError, match='acnn_toy_phase1.py can not be built .KeyError.*depth 19'):
        check_config(cfg)


def test_mpii_is_trained_on_with_joints_from_0_and_scored_with_joints_from_1(root):
    cfg = engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'))
    cfg.train_dataloader.dataset.type = 'MpiiDataset'
    with pytest.raises(ACNNError, match='^train_.* joints count from 1 .*type to MpiiTrainDataset'):
        check_config(cfg)
    cfg.train_dataloader.dataset.type = cfg.val_dataloader.dataset.type = 'MpiiTrainDataset'
    with pytest.raises(
        ACNNError, match='^val_.* joints count from 0, .*set its type to MpiiDataset'
    ):
        check_config(cfg)


def test_a_combination_must_leave_loading_to_its_data_sets(root):
    cfg = engine.load_config(str(root / 'configs/reference/acnn_reference_phase1.py'))
    cfg.train_dataloader.dataset.datasets[1].pipeline = []
    with pytest.raises(ACNNError, match='without a pipeline, which could not pass over unreadable'):
        check_config(cfg)


CROP_CACHE = 'pipeline.LoadReadableImage.crop_cache'


@pytest.mark.parametrize(
    ('config', 'dataset'),
    [('toy', 'dataset'), ('reference', 'dataset.datasets.MpiiTrainDataset')],
)
def test_cached_crops_need_a_transform_that_reads_them(root, tmp_path, config, dataset):
    """Others would read the memory that stands for the photograph."""
    path = str(root / f'configs/{config}/acnn_{config}_phase1.py')
    options = {f'train_dataloader.{dataset}.{CROP_CACHE}': str(tmp_path)}
    pipeline = engine.load_config(path, cfg_options=options).train_dataloader.dataset.pipeline
    place = next(i for i, each in enumerate(pipeline) if each.type == 'TopdownCrop')
    inserted = [*pipeline[:place], dict(type='YOLOXHSVRandomAug'), *pipeline[place:]]
    for changed, found in (
        ([*pipeline[:place], *pipeline[place + 1 :]], 'GenerateTarget'),
        (inserted, 'YOLOXHSVRandomAug'),
        (pipeline[:place], 'nothing'),
    ):
        cfg = engine.load_config(path, cfg_options=options)
        cfg.train_dataloader.dataset.pipeline = changed
        message = f'crop_cache in the pipeline of train_dataloader needs .*, but there is {found}:'
        with pytest.raises(ACNNError, match=message):
            check_config(cfg)


def test_cached_crops_are_refused_where_the_photograph_is_read(root, tmp_path):
    options = {f'val_dataloader.dataset.{CROP_CACHE}': str(tmp_path)}
    with pytest.raises(ACNNError, match='val_dataloader needs .*, but there is TopdownAffine:'):
        engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'), cfg_options=options)


CODECS = {
    'SimCCLabel': dict(input_size=(128, 128)),
    'RegressionLabel': dict(input_size=(128, 128)),
    'AssociativeEmbedding': dict(input_size=(128, 128), heatmap_size=(32, 32)),
    'UDPHeatmap': dict(input_size=(128, 128), heatmap_size=(32, 32), heatmap_type='combined'),
}


@pytest.mark.parametrize('codec', CODECS)
def test_a_codec_without_one_heatmap_per_joint_is_refused(root, codec):
    options = {'model.head.decoder': dict(_delete_=True, type=codec, **CODECS[codec])}
    with pytest.raises(ACNNError, match=f'decoder, {codec}, does not make one heatmap per joint'):
        engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'), cfg_options=options)


@pytest.mark.parametrize(
    'codec', [dict(type='UDPHeatmap', sigma=1), dict(type='MegviiHeatmap', kernel_size=7)]
)
def test_other_codecs_with_one_heatmap_per_joint_pass(root, codec):
    sizes = dict(input_size=(128, 128), heatmap_size=(32, 32))
    options = {'model.head.decoder': dict(_delete_=True, **sizes, **codec)}
    cfg = engine.load_config(str(root / 'configs/toy/acnn_toy_phase1.py'), cfg_options=options)
    assert cfg.model.head.decoder == dict(**sizes, **codec)


def test_an_option_inherited_with_another_type_is_named(root):
    path = str(root / 'configs/toy/acnn_toy_phase1.py')
    adam = {'optim_wrapper.optimizer.type': 'Adam', 'optim_wrapper.optimizer.lr': 1e-3}
    sentence = r'^alpha is no option of Adam in optim_wrapper.optimizer: .*_delete_=True'
    with pytest.raises(ACNNError, match=sentence):
        engine.load_config(path, cfg_options=adam)
    cfg = engine.load_config(path, cfg_options={'optim_wrapper.optimizer._delete_': True, **adam})
    assert cfg.optim_wrapper.optimizer == dict(type='Adam', lr=1e-3)
    loop = {'train_cfg.type': 'IterBasedTrainLoop'}
    with pytest.raises(ACNNError, match=r'^\w+ is no option of IterBasedTrainLoop in train_cfg: '):
        engine.load_config(path, cfg_options=loop)


@pytest.mark.parametrize(
    ('option', 'name'),
    [
        *(('visualizer.vis_backends', 'LocalVisBackend'), ('custom_hooks', 'EMAHook')),
        *(('optim_wrapper.optimizer', 'Adam'), ('val_evaluator', 'EPE')),
        *(('default_hooks.logger', 'LoggerHook'), ('param_scheduler', 'LinearLR')),
    ],
)
def test_a_name_in_place_of_a_dict_is_named(root, option, name):
    path = str(root / 'configs/toy/acnn_toy_phase1.py')
    with pytest.raises(
        ACNNError, match=rf"^{option} is '{name}', .* give dict\(type='{name}'\), in"
    ):
        engine.load_config(path, cfg_options={option: name})
    backends = {'visualizer.vis_backends': [dict(type='LocalVisBackend')]}
    engine.load_config(path, cfg_options=backends)


def test_a_transform_without_a_type_is_refused(root):
    path = str(root / 'configs/toy/acnn_toy_phase1.py')
    options = {'val_dataloader.dataset.pipeline': [dict(padding=1.0)]}
    with pytest.raises(ACNNError, match=r"^the pipeline of val_dataloader has .*{'padding': 1.0}"):
        engine.load_config(path, cfg_options=options)


def test_a_hook_that_would_run_twice_is_refused(root):
    path, hooks = str(root / 'configs/toy/acnn_toy_phase1.py'), [dict(type='LossGuardHook')]
    with pytest.raises(ACNNError, match='LossGuardHook of custom_hooks is in default_hooks, too'):
        engine.load_config(path, cfg_options={'custom_hooks': hooks})
    engine.load_config(path, cfg_options={'custom_hooks': hooks, 'default_hooks.loss_guard': None})
    engine.load_config(path, cfg_options={'custom_hooks': None, 'default_hooks.timer': None})

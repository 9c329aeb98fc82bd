"""Shared fixtures: small networks, small data, and where the real data is, if it is."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import acnn_mmpose  # first: makes MMPose importable
from acnn_mmpose.engine import load_config, train_in_order
from acnn_mmpose.toy import make_toy_dataset

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData, PixelData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from .coco_people import COCO_JOINTS, write_coco_file

torch.set_num_threads(1)  # the networks here are too small for more to pay

ROOT = Path(acnn_mmpose.__file__).parents[1]
sys.path.append(str(ROOT / 'tools'))  # where a tool finds what it alone needs
FLIP_INDICES = [5, 4, 3, 2, 1, 0, 6, 7, 8, 9, 15, 14, 13, 12, 11, 10]


@pytest.fixture(autouse=True, scope='session')
def _quick_configs():
    """Leave out how MMEngine formats a config, 0.3 s for every Runner and every checkpoint."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmengine.config.config.FormatCode', lambda text, **_: (text, True))
        yield


@pytest.fixture(autouse=True)
def _seed_and_scope():
    init_default_scope('mmpose')
    torch.manual_seed(0)
    np.random.seed(0)


@pytest.fixture(scope='session')
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope='session')
def shared_data() -> Path:
    """Real photographs and annotations, which are not part of the project."""
    path = Path(os.environ.get('ACNN_SHARED_DATA', ROOT.parent / 'shared' / 'data'))
    if not path.is_dir():
        pytest.skip('no real data: set ACNN_SHARED_DATA to its folder')
    return path


@pytest.fixture(scope='session')
def toy_root(tmp_path_factory) -> Path:
    """A toy data set of 24 training and 8 validation people."""
    path = tmp_path_factory.mktemp('toy')
    make_toy_dataset(path, num_train=24, num_val=8)
    return path


@pytest.fixture(scope='session')
def coco_root(toy_root, tmp_path_factory) -> Path:
    """A few toy people in the layout of COCO."""
    path = tmp_path_factory.mktemp('coco')
    for split in ('train', 'val'):
        file = path / f'annotations/person_keypoints_{split}2017.json'
        write_coco_file(toy_root, split, file, COCO_JOINTS)
        (path / f'{split}2017').symlink_to(toy_root / 'images')
    return path


@pytest.fixture(scope='session')
def trained(toy_root, tmp_path_factory) -> dict[str, Path]:
    """Checkpoints of a small network after each phase: trained['pose']."""
    work = tmp_path_factory.mktemp('trained')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ACNN_DATA_ROOT', str(toy_root))
        train_in_order([toy_phase(n, work) for n in (1, 2, 3)])
    return {
        phase: work / f'phase{n}' / 'epoch_2.pth'
        for n, phase in enumerate(('pose', 'attention', 'joint'), start=1)
    }


@pytest.fixture(scope='session')
def config(tmp_path_factory) -> str:
    """The joint phase's config, as one file."""
    folder = tmp_path_factory.mktemp('config')
    toy_phase(3, folder).dump(folder / 'config.py')
    return str(folder / 'config.py')


@pytest.fixture(scope='session')
def images(toy_root) -> list[Path]:
    """Three images."""
    return sorted((toy_root / 'images').glob('*.jpg'))[:3]


def toy_phase(number: int, work: Path, **options) -> Config:
    """The toy config of a phase, shrunk to seconds; ACNN_DATA_ROOT must be set."""
    return load_config(
        str(ROOT / f'configs/toy/acnn_toy_phase{number}.py'),
        str(work / f'phase{number}'),
        {**FAST_TRAINING, **options},
    )


def edit(path: Path, target: Path, change) -> str:
    """Save a changed copy of a checkpoint."""
    checkpoint = torch.load(path)
    change(checkpoint)
    torch.save(checkpoint, target)
    return str(target)


def model_config(phase: str = 'joint', num_stages: int = 3, **backbone) -> dict:
    """A network for 32x32 inputs with 8x8 heatmaps that runs in milliseconds."""
    codec = dict(type='MSRAHeatmap', input_size=(32, 32), heatmap_size=(8, 8), sigma=1)
    return dict(
        type='ACNN',
        phase=phase,
        data_preprocessor=dict(type='PoseDataPreprocessor', mean=[127.0] * 3, std=[64.0] * 3),
        backbone={
            'type': 'AttentionHourglassNet',
            'num_stages': num_stages,
            'channels': 16,
            'depth': 2,
            **backbone,
        },
        head=dict(
            type='ACNNHead', in_channels=16, out_channels=16, num_stages=num_stages, decoder=codec
        ),
        test_cfg=dict(flip_test=False),
    )


@pytest.fixture
def build_model():
    """Build a small model whose masks are not constant: build_model(phase, **backbone)."""

    def build(phase: str = 'joint', **kwargs):
        model = MODELS.build(model_config(phase, **kwargs))
        for branch in model.backbone.mask_branches:
            torch.nn.init.normal_(branch.logit.weight)
            torch.nn.init.zeros_(branch.logit.bias)
        return model

    return build


def randomise_norms(model: torch.nn.Module) -> torch.nn.Module:
    """Give every BatchNorm statistics and weights as if it had been trained; in place."""
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(norm.running_mean, std=0.2)
            torch.nn.init.uniform_(norm.running_var, 0.5, 2.0)
            torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
            torch.nn.init.normal_(norm.bias, std=0.2)
    return model


@torch.no_grad()
def halve_masks(model: torch.nn.Module, images: torch.Tensor) -> torch.nn.Module:
    """Move the masks' biases so that each keeps half of these images' cells; in place."""
    logits = []
    for branch in model.backbone.mask_branches:
        hook = branch.logit.register_forward_hook(lambda *args: logits.append(args[-1]))
        model.backbone(images)
        hook.remove()
        branch.logit.bias -= logits.pop().median()
    return model


@pytest.fixture
def batch() -> dict:
    """A batch of 4 images with targets, as the data loader gives it to ``train_step``."""
    samples = []
    for _ in range(4):
        sample = PoseDataSample(
            metainfo=dict(
                flip_indices=FLIP_INDICES,
                input_center=np.array([16.0, 16.0]),
                input_scale=np.array([32.0, 32.0]),
                input_size=(32, 32),
            )
        )
        sample.gt_instances = InstanceData(bboxes=np.zeros((1, 4)), bbox_scores=np.ones(1))
        sample.gt_fields = PixelData(heatmaps=torch.rand(16, 8, 8))
        sample.gt_instance_labels = InstanceData(keypoint_weights=torch.ones(1, 16))
        samples.append(sample)
    images = [torch.randint(0, 256, (3, 32, 32), dtype=torch.uint8) for _ in samples]
    return dict(inputs=images, data_samples=samples)


@pytest.fixture
def toy_config(toy_root, tmp_path, monkeypatch):
    """The toy config of a phase, shrunk to seconds: toy_config(number, **cfg_options)."""
    monkeypatch.setenv('ACNN_DATA_ROOT', str(toy_root))

    def build(number: int, **options) -> Config:
        return toy_phase(number, tmp_path, **options)

    return build


FAST_TRAINING = {
    'model.backbone.channels': 16,
    'model.head.in_channels': 16,
    'train_cfg.max_epochs': 2,
    'train_cfg.val_interval': 2,
    'train_dataloader.batch_size': 8,
    'train_dataloader.num_workers': 0,
    'train_dataloader.persistent_workers': False,
    'val_dataloader.num_workers': 0,
    'val_dataloader.persistent_workers': False,
    'test_dataloader.num_workers': 0,
    'test_dataloader.persistent_workers': False,
}

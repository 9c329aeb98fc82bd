"""What no model can use is refused before anything is loaded into one."""

from __future__ import annotations

import copy

from acnn_mmpose.checkpoints.validate import check_checkpoint, check_resumable
from acnn_mmpose.errors import ACNNError

import pytest
import torch
from mmpose.datasets.datasets import MpiiDataset
from mmpose.datasets.datasets.utils import parse_pose_metainfo

KEY = 'head.multi_final_layers.0.weight'


@pytest.fixture
def model(build_model):
    return build_model('joint')


@pytest.fixture
def checkpoint(model) -> dict:
    return {
        'state_dict': model.state_dict(),
        'meta': {'acnn_phase': 'joint', 'dataset_meta': parse_pose_metainfo(MpiiDataset.METAINFO)},
    }


@pytest.mark.parametrize(
    ('damage', 'problem'),
    [
        (lambda weight: weight * float('nan'), f'{KEY} is not finite, .* take an earlier one'),
        (lambda weight: weight / 0, f'{KEY} is not finite'),
        (lambda weight: weight.tolist(), f'{KEY} is no tensor of numbers'),
        (lambda weight: weight.to_sparse(), f'{KEY} is no tensor of numbers'),
        (lambda weight: weight.int(), f'type: {KEY} is torch.int32 instead of torch.float32'),
        (lambda weight: weight[:5], rf'shape: {KEY} is \(5, 16, 1, 1\) instead of \(16, 16, 1'),
    ],
)
def test_unsound_weights_are_named(model, checkpoint, damage, problem):
    check_checkpoint(model, checkpoint, 'x.pth', 'test')
    checkpoint['state_dict'][KEY] = damage(checkpoint['state_dict'][KEY])
    with pytest.raises(ACNNError, match=f'x.pth .*{problem}'):
        check_checkpoint(model, checkpoint, 'x.pth', 'test')


def test_weights_of_half_precision_fit(model, checkpoint):
    checkpoint['state_dict'] = {
        key: value.half() if value.is_floating_point() else value
        for key, value in checkpoint['state_dict'].items()
    }
    check_checkpoint(model, checkpoint, 'x.pth', 'test')


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('flip_indices', list(range(17))),
        ('flip_indices', None),
        ('skeleton_links', [(0, 16)]),
        ('skeleton_links', [[0]]),
        ('keypoint_id2name', {0: 'head'}),
        ('keypoint_colors', [[0, 0, 0]] * 16),
        ('skeleton_link_colors', torch.zeros(3, 3)),
    ],
)
def test_joints_that_are_not_the_models_are_refused(model, checkpoint, key, value):
    checkpoint['meta']['dataset_meta'] = {**checkpoint['meta']['dataset_meta'], key: value}
    with pytest.raises(ACNNError, match='x.pth .* dataset_meta does not describe the 16 joints'):
        check_checkpoint(model, checkpoint, 'x.pth', 'test')
    checkpoint['meta']['dataset_meta'] = [1]
    with pytest.raises(ACNNError, match='x.pth .* dataset_meta does not describe the 16 joints'):
        check_checkpoint(model, checkpoint, 'x.pth', 'test')


def test_what_a_run_can_not_go_on_from_is_named():
    sound = {'optimizer': {}, 'meta': {'epoch': 1, 'iter': 9, 'seed': 0}}
    check_resumable(sound, 'x.pth')
    with pytest.raises(ACNNError, match=r'no state of the optimizer.*load_from=.*epoch_N.pth'):
        check_resumable({'meta': sound['meta']}, 'best_PCK_epoch_1.pth')
    for key, value in (('epoch', 'one'), ('iter', -1), ('seed', 2**40), ('epoch', None)):
        damaged = copy.deepcopy(sound)
        damaged['meta'][key] = value
        with pytest.raises(ACNNError, match='does not say from which epoch, iteration and seed'):
            check_resumable(damaged, 'x.pth')

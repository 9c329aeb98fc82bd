"""From the weights of public PyTorch ports of Newell et al.'s hourglass to a file of this package.

Two layouts of state dicts are known: that of bearpaw/pytorch-pose, in which the files of
anibali/pytorch-stacked-hourglass are, too, and that of princeton-vl/pytorch_stacked_hourglass.
They differ in names and in the widths of the stem. The network is
``AttentionHourglassNet(reinjection=K)``; biases that a BatchNorm follows become part of its mean,
which is the same function.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

from acnn_mmpose.checkpoints import load_from_local
from acnn_mmpose.checkpoints.validate import describe_unsound
from acnn_mmpose.checkpoints.weights_file import SUFFIX, pack
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.files import write_whole
from acnn_mmpose.models.weights import describe_mismatch

import torch
from mmpose.registry import MODELS
from torch import Tensor

DEPTH = 4  # of all hourglasses in both layouts
KNOWN = (
    'the layouts that can be converted are those of bearpaw/pytorch-pose, with one residual module '
    'per branch, and princeton-vl/pytorch_stacked_hourglass'
)


class Port(NamedTuple):
    """A public port: how it names its modules, as patterns, and how they are named here."""

    name: str
    mean: tuple[float, float, float]
    """Of the images that it was trained with, red, green and blue, in [0, 255]."""
    first: str
    """The first convolution, by which a state dict is recognised."""
    names: dict[str, str]


RESIDUAL = {
    **{rf'\.bn{k}$': f'.branch.{k - 1}.0' for k in (1, 2, 3)},
    **{rf'\.conv{k}(\.conv)?$': f'.branch.{k - 1}.2' for k in (1, 2, 3)},
    r'\.(downsample\.0|skip_layer\.conv)$': '.shortcut',
}
PORTS = (
    Port(
        name='bearpaw/pytorch-pose',
        mean=(112.302, 113.22, 110.3385),  # 0.4404, 0.4440, 0.4327 of images in [0, 1]
        first='conv1',
        names={
            r'^conv1$': 'backbone.stem.0.0',
            r'^bn1$': 'backbone.stem.0.1',
            r'^layer1\.0': 'backbone.stem.1',
            r'^layer2\.0': 'backbone.stem.3',
            r'^layer3\.0': 'backbone.stem.4',
            **{
                rf'^hg\.(\d+)\.hg\.{DEPTH - 1 - level}\.{theirs}\.0\.': (
                    rf'backbone.thetas.\1.0.{"inner." * level}{ours}.'
                )
                for level in range(DEPTH)
                for theirs, ours in enumerate(('skip', 'down.1', 'up', 'inner'))
            },
            r'^res\.(\d+)\.0': r'backbone.thetas.\1.1',
            r'^fc\.(\d+)\.': r'backbone.projections.\1.',
            r'^score\.(\d+)$': r'head.multi_final_layers.\1',
            r'^fc_\.(\d+)$': r'backbone.feature_merges.\1',
            r'^score_\.(\d+)$': r'backbone.heatmap_merges.\1',
            **RESIDUAL,
        },
    ),
    Port(
        name='princeton-vl/pytorch_stacked_hourglass',
        mean=(0, 0, 0),
        first='pre.0.conv',
        names={
            r'^pre\.0\.conv$': 'backbone.stem.0.0',
            r'^pre\.0\.bn$': 'backbone.stem.0.1',
            r'^pre\.([134])\.': r'backbone.stem.\1.',
            r'^hgs\.(\d+)\.0': r'backbone.thetas.\1.0',
            r'\.up1\.': '.skip.',
            r'\.low1\.': '.down.1.',
            r'\.low3\.': '.up.',
            r'\.low2(?=\.)': '.inner',
            r'^features\.(\d+)\.0': r'backbone.thetas.\1.1',
            r'^features\.(\d+)\.1\.conv$': r'backbone.projections.\1.0',
            r'^features\.(\d+)\.1\.bn$': r'backbone.projections.\1.1',
            r'^outs\.(\d+)\.conv$': r'head.multi_final_layers.\1',
            r'^merge_features\.(\d+)\.conv\.conv$': r'backbone.feature_merges.\1',
            r'^merge_preds\.(\d+)\.conv\.conv$': r'backbone.heatmap_merges.\1',
            **RESIDUAL,
        },
    ),
)


class Converted(NamedTuple):
    """What a file held: whose layout, S, and a config of the network, in phase ``'pose'``."""

    port: Port
    num_stages: int
    model: dict[str, Any]


def convert_hourglass(file: str, out: str) -> Converted:
    """Write a weights file, ``*.safetensors``, that phase ``'attention'`` can start from.

    Args:
        file: A state dict of a port, or a training checkpoint that has one, of one or more GPUs.
        out: The file to write.
    """
    if not out.endswith(SUFFIX):
        raise ACNNError(f'{out} must end in {SUFFIX}: weights are written without pickle')
    content = load_from_local(file, 'cpu')
    try:
        port, weights = _rename(content.get('state_dict', content))
        model = _describe_model(weights)
        with torch.device('meta'):
            network = MODELS.build(model)
        _drop_superfluous(weights, network.state_dict())
        problem = describe_mismatch(network, weights, masks_optional=True)
    except ACNNError as error:
        problem = str(error)
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        problem = f'it is no whole hourglass ({error!r})'
    if problem:
        raise ACNNError(f'{file} can not be converted: {problem}; {KNOWN}')
    write_whole(Path(out), pack(weights, dict(acnn_phase='pose', acnn_converted_from=port.name)))
    return Converted(port, model['backbone']['num_stages'], model)


def _rename(theirs: dict[str, Any]) -> tuple[Port, dict[str, Tensor]]:
    """Recognise a port, and name its weights as they are named here."""
    if unsound := describe_unsound(theirs):
        raise ACNNError(unsound)
    theirs = {re.sub(r'^(model\.)?(module\.)?', '', key): v for key, v in theirs.items()}
    port = next((port for port in PORTS if f'{port.first}.weight' in theirs), None)
    if port is None:
        raise ACNNError('it holds no stacked hourglass')
    weights = {}
    for key, value in theirs.items():
        module, _, part = key.rpartition('.')
        for pattern, name in port.names.items():
            module = re.sub(pattern, name, module)
        if not module.startswith(('backbone.', 'head.')):
            raise ACNNError(f'{key} has no place in it')
        weights[f'{module}.{part}'] = value * 0 if part == 'num_batches_tracked' else value
    return port, weights


def _drop_superfluous(weights: dict[str, Tensor], own: dict[str, Tensor]) -> None:
    """Subtract biases from the means of the norms that follow; drop shortcuts that nothing uses."""
    for key in [key for key in weights if key not in own]:
        branch = re.fullmatch(r'(.*\.branch)\.(\d)\.2\.bias', key)
        if branch:
            norm = f'{branch[1]}.{int(branch[2]) + 1}.0'
        elif key.endswith('.0.bias'):
            norm = f'{key[: -len(".0.bias")]}.1'
        elif '.shortcut.' in key:  # the princeton-vl port has them everywhere
            del weights[key]
            continue
        else:
            continue
        mean = f'{norm}.running_mean'
        weights[mean] = weights[mean] - weights.pop(key)


def _describe_model(weights: dict[str, Tensor]) -> dict[str, Any]:
    """Describe the network that weights are of, as a config."""
    stages = sum(key.startswith('head.') and key.endswith('.weight') for key in weights)
    joints, channels = weights['head.multi_final_layers.0.weight'].shape[:2]
    stem = ('0.0', '1.branch.2.2', '3.branch.2.2')
    return dict(
        type='ACNN',
        phase='pose',
        backbone=dict(
            type='AttentionHourglassNet',
            num_stages=stages,
            channels=channels,
            depth=DEPTH,
            reinjection=joints,
            stem_widths=[len(weights[f'backbone.stem.{i}.weight']) for i in stem],
        ),
        head=dict(type='ACNNHead', in_channels=channels, out_channels=joints, num_stages=stages),
    )

"""From the weights of public PyTorch ports of Newell et al.'s hourglass to a file of this package.

Two layouts of state dicts are known: that of bearpaw/pytorch-pose, in which the files of
anibali/pytorch-stacked-hourglass are, too, and that of princeton-vl/pytorch_stacked_hourglass.
They differ in names and in the widths of the stem. The network is
``AttentionHourglassNet(reinjection=K)``; biases that a BatchNorm follows become part of its mean,
which is the same function.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from mmpose.registry import MODELS
from torch import Tensor

from ..errors import ACNNError
from ..files import write_whole
from ..models.weights import describe_mismatch
from .load import load_from_local
from .validate import describe_unsound
from .weights_file import SUFFIX, pack

DEPTH = 4  # of all hourglasses in both layouts
KNOWN = (
    'the layouts that can be converted are those of bearpaw/pytorch-pose, with one residual module '
    'per branch, and princeton-vl/pytorch_stacked_hourglass'
)


class Port(NamedTuple):
    """Names in a state dict; ``{i}`` is the stack, from 0.

    Attributes:
        name: Of the repository.
        stem: First convolution, its norm, and the three residual modules.
        hourglass: An hourglass.
        levels: In it, what comes before the parts of a level, from the finest to the coarsest.
        parts: Of a level: skip, down, up; and of the coarsest one: the innermost.
        after: The residual module after an hourglass.
        feature: f: its convolution and norm.
        heatmaps: The convolution that makes them.
        merges: The convolutions of feature and heatmaps that are added to the next input.
        convolution: In a residual module, its k-th convolution.
        shortcut: In a residual module, the convolution beside it.
        mean: Of the images that it was trained with, red, green and blue, in [0, 255].
    """

    name: str
    stem: tuple[str, str, str, str, str]
    hourglass: str
    levels: tuple[str, ...]
    parts: tuple[str, str, str, str]
    after: str
    feature: tuple[str, str]
    heatmaps: str
    merges: tuple[str, str]
    convolution: str
    shortcut: str
    mean: tuple[float, float, float]


PORTS = (
    Port(
        name='bearpaw/pytorch-pose',
        stem=('conv1', 'bn1', 'layer1.0', 'layer2.0', 'layer3.0'),
        hourglass='hg.{i}.hg.',
        levels=('3.', '2.', '1.', '0.'),
        parts=('0.0', '1.0', '2.0', '3.0'),
        after='res.{i}.0',
        feature=('fc.{i}.0', 'fc.{i}.1'),
        heatmaps='score.{i}',
        merges=('fc_.{i}', 'score_.{i}'),
        convolution='conv{k}',
        shortcut='downsample.0',
        mean=(112.302, 113.22, 110.3385),  # 0.4404, 0.4440, 0.4327 of images in [0, 1]
    ),
    Port(
        name='princeton-vl/pytorch_stacked_hourglass',
        stem=('pre.0.conv', 'pre.0.bn', 'pre.1', 'pre.3', 'pre.4'),
        hourglass='hgs.{i}.0.',
        levels=('', 'low2.', 'low2.low2.', 'low2.low2.low2.'),
        parts=('up1', 'low1', 'low3', 'low2'),
        after='features.{i}.0',
        feature=('features.{i}.1.conv', 'features.{i}.1.bn'),
        heatmaps='outs.{i}.conv',
        merges=('merge_features.{i}.conv.conv', 'merge_preds.{i}.conv.conv'),
        convolution='conv{k}.conv',
        shortcut='skip_layer.conv',
        mean=(0, 0, 0),
    ),
)


class Converted(NamedTuple):
    """What a file held.

    Attributes:
        port: Whose layout it has.
        num_stages: S, the number of stacks.
        model: Config of the network that the weights are of, in phase ``'pose'``.
    """

    port: Port
    num_stages: int
    model: dict[str, Any]


def convert_hourglass(file: str, out: str) -> Converted:
    """Write a weights file that phase ``'attention'`` can start from.

    Args:
        file: A state dict of a port, or a training checkpoint that has one, of one or more GPUs.
        out: The file to write, ``*.safetensors``.

    Returns:
        What the file held.

    Raises:
        ACNNError: If it can't be read, is no hourglass of a known layout, or ``out`` can't be
            written.
    """
    if not out.endswith(SUFFIX):
        raise ACNNError(f'{out} must end in {SUFFIX}: weights are written without pickle')
    content = load_from_local(file, 'cpu')
    theirs = content.get('state_dict', content)
    unsound = describe_unsound(theirs)
    if unsound:
        raise ACNNError(f'{file} can not be converted: {unsound}; {KNOWN}')
    theirs = {re.sub(r'^(model\.)?(module\.)?', '', key): v for key, v in theirs.items()}
    weights, converted = convert_weights(theirs, file)
    pack_meta = dict(acnn_phase='pose', acnn_converted_from=converted.port.name)
    write_whole(Path(out), pack(weights, pack_meta))
    return converted


def convert_weights(theirs: dict[str, Tensor], file: str) -> tuple[dict[str, Tensor], Converted]:
    """Rename a port's weights to those of an ACNN in phase ``'pose'``.

    Args:
        theirs: A state dict, without prefixes.
        file: Where it comes from, for messages.

    Raises:
        ACNNError: If it is not, or not wholly, a network of a known layout.
    """
    port = next((p for p in PORTS if f'{p.stem[0]}.weight' in theirs), None)
    stages = len({m[0] for m in map(re.compile(r'(?:score|outs)\.\d+\.').match, theirs) if m})
    if port is None or not stages:
        raise ACNNError(f'{file} holds no stacked hourglass: {KNOWN}')
    left = dict(theirs)
    weights: dict[str, Tensor] = {}
    try:
        for kind, ours, names in _list_modules(port, stages):
            _CONVERT[kind](weights, left, ours, names, port)
        model = _describe_model(weights, stages)
        with torch.device('meta'):
            mismatch = describe_mismatch(MODELS.build(model), weights, masks_optional=True)
    except KeyError as error:
        raise ACNNError(
            f'{file} is no whole hourglass, it lacks {error.args[0]}: {KNOWN}'
        ) from error
    except (ACNNError, RuntimeError, TypeError, ValueError) as error:
        raise ACNNError(f'{file} has weights of odd shapes ({error}): {KNOWN}') from error
    # the princeton-vl port has shortcuts that it does not use
    left = {k: v for k, v in left.items() if not re.search('num_batches_tracked|skip_layer', k)}
    if mismatch or left:
        reason = mismatch or f'{next(iter(left))} has no place in this network'
        raise ACNNError(f'{file} can not be converted: {reason}; {KNOWN}')
    return weights, Converted(port, stages, model)


def _list_modules(port: Port, stages: int) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """List the modules of a network: kind, name here, and names there."""
    first, norm, *residuals = port.stem
    yield 'block', 'backbone.stem.0', (first, norm)
    for place, theirs in zip((1, 3, 4), residuals):
        yield 'residual', f'backbone.stem.{place}', (theirs,)
    for i in range(stages):
        ours = f'backbone.thetas.{i}.0'
        for level in port.levels:
            prefix = port.hourglass.format(i=i) + level
            for part, theirs in zip(('skip', 'down.1', 'up'), port.parts):
                yield 'residual', f'{ours}.{part}', (prefix + theirs,)
            ours += '.inner'
        yield 'residual', ours, (prefix + port.parts[3],)
        yield 'residual', f'backbone.thetas.{i}.1', (port.after.format(i=i),)
        yield 'block', f'backbone.projections.{i}', tuple(n.format(i=i) for n in port.feature)
        yield 'conv', f'head.multi_final_layers.{i}', (port.heatmaps.format(i=i),)
        if i + 1 < stages:
            for merges, theirs in zip(('feature_merges', 'heatmap_merges'), port.merges):
                yield 'conv', f'backbone.{merges}.{i}', (theirs.format(i=i),)


def _convert_conv(
    weights: dict[str, Tensor], left: dict[str, Tensor], ours: str, names: tuple[str, ...], _: Port
) -> None:
    """Take a convolution and its bias."""
    for part in ('weight', 'bias'):
        weights[f'{ours}.{part}'] = left.pop(f'{names[0]}.{part}')


def _convert_block(
    weights: dict[str, Tensor], left: dict[str, Tensor], ours: str, names: tuple[str, ...], _: Port
) -> None:
    """Take a convolution and the norm after it."""
    weights[f'{ours}.0.weight'] = left.pop(f'{names[0]}.weight')
    _take_norm(weights, left, f'{ours}.1', names[1], bias=left.pop(f'{names[0]}.bias'))


def _convert_residual(
    weights: dict[str, Tensor],
    left: dict[str, Tensor],
    ours: str,
    names: tuple[str, ...],
    port: Port,
) -> None:
    """Take a residual module, in which a norm stands before every convolution."""
    bias: Tensor | None = None
    for k in (1, 2, 3):
        conv = f'{names[0]}.{port.convolution.format(k=k)}'
        _take_norm(weights, left, f'{ours}.branch.{k - 1}.0', f'{names[0]}.bn{k}', bias)
        weights[f'{ours}.branch.{k - 1}.2.weight'] = left.pop(f'{conv}.weight')
        bias = weights[f'{ours}.branch.2.2.bias'] = left.pop(f'{conv}.bias')  # the last one stays
    outputs = len(weights[f'{ours}.branch.2.2.weight'])
    if len(weights[f'{ours}.branch.0.0.weight']) != outputs:
        _convert_conv(weights, left, f'{ours}.shortcut', (f'{names[0]}.{port.shortcut}',), port)


def _take_norm(
    weights: dict[str, Tensor], left: dict[str, Tensor], ours: str, theirs: str, bias: Tensor | None
) -> None:
    """Take a norm, with the bias of the convolution before it subtracted from its mean."""
    for part in ('weight', 'bias', 'running_mean', 'running_var'):
        weights[f'{ours}.{part}'] = left.pop(f'{theirs}.{part}')
    if bias is not None:
        weights[f'{ours}.running_mean'] = weights[f'{ours}.running_mean'] - bias
    weights[f'{ours}.num_batches_tracked'] = torch.tensor(0)


_CONVERT = {'conv': _convert_conv, 'block': _convert_block, 'residual': _convert_residual}


def _describe_model(weights: dict[str, Tensor], stages: int) -> dict[str, Any]:
    """Describe the network that weights are of, as a config."""
    joints, channels = weights['head.multi_final_layers.0.weight'].shape[:2]
    widths = [
        len(weights[f'backbone.stem.{i}.weight']) for i in ('0.0', '1.branch.2.2', '3.branch.2.2')
    ]
    return dict(
        type='ACNN',
        phase='pose',
        backbone=dict(
            type='AttentionHourglassNet',
            num_stages=stages,
            channels=channels,
            depth=DEPTH,
            reinjection=joints,
            stem_widths=widths,
        ),
        head=dict(type='ACNNHead', in_channels=channels, out_channels=joints, num_stages=stages),
    )

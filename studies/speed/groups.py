"""The tables of the benchmark: what is compared with what.

To add a case, write a function that prepares it (see :mod:`.networks`) and name it here.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec

from acnn_mmpose.engine import amp_dtype

import torch

from .deployed import deployed_pass, onnx_prediction
from .networks import forward_pass, matrix_product, prediction, training_step
from .pipelines import cached_pipeline, configured_pipeline, stock_pipeline
from .setup import Setup
from .step_parts import attention_statistics, optimizer_step
from .table import Case, Comparison, Table, spell, yardstick
from .timing import is_fast_in_bfloat16

PLAIN = 'ACNN, plain'
ACNN = 'ACNN'
AMP = 'ACNN, mixed precision'
HOURGLASS = 'ACNN without masks'
MMPOSE = "MMPose's hourglass52"
ATTENTION = Comparison(ACNN, HOURGLASS)


def forward(setup: Setup) -> Iterator[Table]:
    """Compare forward passes at every batch size."""
    for size in setup.batch_sizes:
        yield Table(
            f'Forward pass, {_count_images(size)}',
            [*_forward_cases(setup, size), *_yardsticks(setup)],
            setup.device,
            comparisons=[ATTENTION],
        )


def deploy(setup: Setup) -> Iterator[Table]:
    """Compare networks made for prediction only, at batch 1."""
    cases = [Case(PLAIN, partial(forward_pass, setup, 'ACNN', 1, plain=True), 1, torch.float32)]
    for dtype in (torch.float32, torch.bfloat16):
        build = partial(deployed_pass, setup, 1, dtype)
        name = f'deployed, {spell(dtype)}'
        cases.append(Case(name, build, 1, dtype))
        if _can_compile(setup):
            cases.append(Case(f'{name}, compiled', partial(build, compile=True), 1, dtype, name))
    yield Table(
        'Deployed, forward pass, 1 image',
        [*_without_slow_precision(cases, setup), *_yardsticks(setup)],
        setup.device,
    )


def train(setup: Setup) -> Iterator[Table]:
    """Compare training steps at the config's batch size."""
    yield Table(
        f'Training step, {setup.cfg.train_dataloader.batch_size} images',
        [*_training_cases(setup), *_yardsticks(setup)],
        setup.device,
        comparisons=[ATTENTION],
    )


def parts(setup: Setup) -> Iterator[Table]:
    """Compare what a training step does outside the network."""
    yield Table(
        'Figures to log in a training step',
        [
            Case('AttentionStatsHook, every 10th step', partial(attention_statistics, setup)),
        ],
        setup.device,
        per='step',
    )
    yield Table(
        'Optimizer step',
        [
            Case('one tensor after the other', partial(optimizer_step, setup, False)),
            Case('foreach', partial(optimizer_step, setup, True)),
        ],
        setup.device,
        per='step',
    )


def pipeline(setup: Setup) -> Iterator[Table]:
    """Compare the making of training samples in one worker."""
    count = len(setup.people)
    yield Table(
        f'Data pipeline in one worker, photographs {setup.origin}',
        [
            Case("MMPose's", partial(stock_pipeline, setup), count),
            Case("the config's", partial(configured_pipeline, setup), count),
            Case('with crop_cache', partial(cached_pipeline, setup), count),
        ],
        'cpu',
        per='sample',
    )


def api(setup: Setup) -> Iterator[Table]:
    """Compare predictions of one person through MMPose's API, and without."""
    two_passes, single = f'{ACNN}, flip test in two passes', f'{ACNN}, no flip test'
    cases = [
        Case(two_passes, partial(prediction, setup, 'ACNN', in_two_passes=True)),
        Case(f'{ACNN}, flip test', partial(prediction, setup, 'ACNN')),
        Case(single, partial(prediction, setup, 'ACNN', flip_test=False)),
        Case('deployed, flip test', partial(prediction, setup, 'ACNN', deploy=torch.float32)),
        Case(f'{MMPOSE}, flip test', partial(prediction, setup, 'MMPose')),
    ]
    if is_fast_in_bfloat16(setup.device):
        build = partial(prediction, setup, 'ACNN', deploy=torch.bfloat16)
        cases.append(Case('deployed in bfloat16, flip test', build))
    if setup.device == 'cpu' and find_spec('onnx') and find_spec('onnxruntime'):
        cases.append(Case('ONNX Runtime, flip test', partial(onnx_prediction, setup)))
    yield Table(
        'Prediction of 1 person in an image',
        cases,
        setup.device,
        per='person',
        comparisons=[Comparison(f'{ACNN}, flip test', single)],
    )


def memory(setup: Setup) -> Iterator[Table]:
    """Compare peak memory, of training and of a forward pass."""
    yield Table(
        f'Peak memory of training, {setup.cfg.train_dataloader.batch_size} images',
        _training_cases(setup),
        setup.device,
        unit='byte',
    )
    size = setup.batch_sizes[0]
    yield Table(
        f'Peak memory of a forward pass, batch of {size}',
        _forward_cases(setup, size),
        setup.device,
        unit='byte',
    )


GROUPS: dict[str, Callable[[Setup], Iterator[Table]]] = {
    group.__name__: group for group in (forward, deploy, pipeline, api, memory, parts, train)
}


def _count_images(count: int) -> str:
    return f'{count} image' if count == 1 else f'{count} images'


def _forward_cases(setup: Setup, size: int) -> list[Case]:
    lower = amp_dtype(setup.device)
    cases = [
        Case(PLAIN, partial(forward_pass, setup, 'ACNN', size, plain=True), size, torch.float32),
        Case(ACNN, partial(forward_pass, setup, 'ACNN', size), size, torch.float32),
        Case(AMP, partial(forward_pass, setup, 'ACNN', size, amp=True), size, lower),
        Case(HOURGLASS, partial(forward_pass, setup, 'hourglass', size), size, torch.float32),
        Case(MMPOSE, partial(forward_pass, setup, 'MMPose', size), size, torch.float32),
    ]
    return _without_slow_precision(cases, setup)


def _training_cases(setup: Setup) -> list[Case]:
    size = setup.cfg.train_dataloader.batch_size
    lower = amp_dtype(setup.device)
    cases = [
        Case(PLAIN, partial(training_step, setup, 'ACNN', plain=True), size, torch.float32),
        Case(ACNN, partial(training_step, setup, 'ACNN'), size, torch.float32),
        Case(AMP, partial(training_step, setup, 'ACNN', amp=True), size, lower),
        Case(HOURGLASS, partial(training_step, setup, 'hourglass'), size, torch.float32),
        Case(MMPOSE, partial(training_step, setup, 'MMPose'), size, torch.float32),
    ]
    return _without_slow_precision(cases, setup)


def _yardsticks(setup: Setup) -> list[Case]:
    cases = [
        Case(yardstick(dtype), partial(matrix_product, setup.device, dtype), dtype=dtype)
        for dtype in (torch.float32, amp_dtype(setup.device))
    ]
    return _without_slow_precision(cases, setup)


def _can_compile(setup: Setup) -> bool:
    """Whether torch.compile finds what it needs: on a CPU a C++ compiler."""
    is_cpu = torch.device(setup.device).type == 'cpu'
    return not is_cpu or shutil.which(os.environ.get('CXX', 'g++')) is not None


def _without_slow_precision(cases: list[Case], setup: Setup) -> list[Case]:
    """Leave out bfloat16 where it is slow: it would take most of the time."""
    if is_fast_in_bfloat16(setup.device):
        return cases
    return [case for case in cases if case.dtype != torch.bfloat16]

"""The tables of the benchmark: what is compared with what.

To add a case, write a function that prepares it (see :mod:`.networks`) and name it here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch

from ..engine import amp_dtype
from ..hardware import bfloat16_speedup
from .networks import forward_pass, matrix_product, prediction, training_step
from .pipelines import cached_pipeline, configured_pipeline, reduced_pipeline, stock_pipeline
from .setup import Setup
from .step_parts import accuracy, attention_statistics, optimizer_step
from .table import Case, Table, yardstick

PLAIN = 'ACNN, plain'
ACNN = 'ACNN'
AMP = 'ACNN, mixed precision'
HOURGLASS = 'ACNN without masks'
MMPOSE = "MMPose's hourglass52"
PAIRS = ((ACNN, HOURGLASS),)


def forward(setup: Setup) -> Iterator[Table]:
    """Compare forward passes at every batch size."""
    for size in setup.batch_sizes:
        images = 'image' if size == 1 else 'images'
        yield Table(
            f'Forward pass, {size} {images}',
            [*_forward_cases(setup, size), *_yardsticks(setup)],
            setup.device,
            pairs=PAIRS,
        )


def train(setup: Setup) -> Iterator[Table]:
    """Compare training steps at the config's batch size."""
    yield Table(
        f'Training step, {setup.cfg.train_dataloader.batch_size} images',
        [*_training_cases(setup), *_yardsticks(setup)],
        setup.device,
        pairs=PAIRS,
    )


def parts(setup: Setup) -> Iterator[Table]:
    """Compare what a training step does outside the network."""
    yield Table(
        'Figures to log in a training step',
        [
            Case('accuracy through numpy, as in MMPose', partial(accuracy, setup, True)),
            Case('accuracy on the device', partial(accuracy, setup, False)),
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
            Case('with LoadReducedImage', partial(reduced_pipeline, setup), count),
            Case('with LoadCachedCrop', partial(cached_pipeline, setup), count),
        ],
        'cpu',
        per='sample',
    )


def api(setup: Setup) -> Iterator[Table]:
    """Compare predictions of one person through MMPose's ``inference_topdown``."""
    yield Table(
        'inference_topdown, 1 person',
        [
            Case(f'{ACNN}, flip test', partial(prediction, setup, 'ACNN', True)),
            Case(f'{ACNN}, no flip test', partial(prediction, setup, 'ACNN', False)),
            Case(f'{MMPOSE}, flip test', partial(prediction, setup, 'MMPose', True)),
        ],
        setup.device,
        per='person',
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


GROUPS: dict[str, Callable[[Setup], Iterator[Table]]] = dict(
    forward=forward, train=train, parts=parts, pipeline=pipeline, api=api, memory=memory
)


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


def _without_slow_precision(cases: list[Case], setup: Setup) -> list[Case]:
    """Leave out bfloat16 on a CPU that is slower with it: it would take most of the time."""
    if torch.device(setup.device).type != 'cpu' or bfloat16_speedup() >= 1:
        return cases
    return [case for case in cases if case.dtype != torch.bfloat16]

"""The parts of a training step outside the network. Each function prepares one case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acnn_mmpose.engine.hooks.attention_stats import measure_coverage, root_mean_square
from acnn_mmpose.models import stack_masks

import torch
from mmpose.registry import MODELS

from .setup import Setup


def optimizer_step(setup: Setup, foreach: bool) -> Callable[[], Any]:
    """Prepare a step of the config's optimizer over all weights of the network."""
    weights = list(MODELS.build(setup.cfg.model).to(setup.device).parameters())
    for weight in weights:
        weight.grad = torch.full_like(weight, 1e-4)
    arguments = dict(setup.cfg.optim_wrapper.optimizer)
    optimizer = getattr(torch.optim, arguments.pop('type'))
    return optimizer(weights, **{**arguments, 'foreach': foreach}).step


def attention_statistics(setup: Setup) -> Callable[[], Any]:
    """Prepare what AttentionStatsHook computes in an iteration in which it measures."""
    model = MODELS.build(setup.cfg.model).to(setup.device)
    batch = model.data_preprocessor(setup.batch(setup.cfg.train_dataloader.batch_size))
    with torch.no_grad():
        stages = model.backbone(batch['inputs'])
    targets = torch.stack([sample.gt_fields.heatmaps for sample in batch['data_samples']])
    gradients = [torch.zeros_like(weight) for weight in model.parameters()]

    def run() -> None:
        measure_coverage(stack_masks(stages), targets).tolist()
        float(root_mean_square(gradients) or 0)

    return run

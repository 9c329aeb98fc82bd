"""What the masks keep and how large the gradients are, while training.

Shape legend: N batch, K joints, S stages, h x w heatmap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor, nn

from ..errors import ACNNError
from ..models import StageOutput, stack_masks


@HOOKS.register_module()
class AttentionStatsHook(Hook):
    """Logs masks and gradients through MMEngine's message hub: console, json log, TensorBoard.

    Per mask M(i), the mean over the batches of all processes:

    - ``mask{i}_coverage``: the share of the feature map that is kept
    - ``mask{i}_joint_coverage``: the share of the mass of the ground-truth heatmaps that is kept,
      that is, of the neighbourhood of the person's joints

    And per task that trains, ``grad_rms_pose`` (task A) and ``grad_rms_attention`` (task B): the
    root mean square of its gradients as the optimizer gets them. "The gradients for task B are much
    larger than those of task A" (paper, Sec. 3.3).

    Args:
        interval: Every how many iterations of an epoch to measure, from its first on.

    Raises:
        ACNNError: If the interval is less than 1.
    """

    def __init__(self, interval: int = 10) -> None:
        if interval < 1:
            raise ACNNError(
                f'the interval of AttentionStatsHook must be at least 1, not {interval}'
            )
        self.interval = interval
        self._measuring = False
        self._stages: tuple[StageOutput, ...] | None = None
        self._gradients: dict[str, Tensor] = {}
        self._handles: list = []

    def before_train(self, runner: Runner) -> None:
        """Listen to the backbone's outputs and to the optimizer's steps."""
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        tasks = {
            'attention': list(model.backbone.mask_branches.parameters()),
            'pose': [
                parameter
                for name, parameter in model.named_parameters()
                if not name.startswith('backbone.mask_branches.')
            ],
        }

        def keep_stages(module: nn.Module, args: tuple, stages: tuple[StageOutput, ...]) -> None:
            if self._measuring:
                self._stages = stages

        def keep_gradients(*_: Any) -> None:
            if self._measuring:
                self._gradients = {
                    f'grad_rms_{task}': rms
                    for task, parameters in tasks.items()
                    if (rms := root_mean_square(p.grad for p in parameters)) is not None
                }

        self._handles = [
            model.backbone.register_forward_hook(keep_stages),
            runner.optim_wrapper.optimizer.register_step_pre_hook(keep_gradients),
        ]

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Decide whether to measure this iteration."""
        self._measuring = batch_idx % self.interval == 0

    def after_train_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict | None = None,
        outputs: dict | None = None,
    ) -> None:
        """Put the figures into the message hub."""
        if not self._measuring or self._stages is None:
            return
        targets = torch.stack([s.gt_fields.heatmaps for s in data_batch['data_samples']])
        coverage = measure_coverage(self._stages, targets)
        all_reduce(coverage, 'mean')
        scalars = {}
        for i, (everywhere, joints) in enumerate(coverage.tolist(), start=1):
            scalars[f'mask{i}_coverage'] = everywhere
            scalars[f'mask{i}_joint_coverage'] = joints
        scalars.update((name, value.item()) for name, value in self._gradients.items())
        for name, value in scalars.items():
            runner.message_hub.update_scalar(f'train/{name}', value)
        self._stages, self._gradients = None, {}

    def after_train(self, runner: Runner) -> None:
        """Stop listening."""
        for handle in self._handles:
            handle.remove()


def measure_coverage(stages: tuple[StageOutput, ...], targets: Tensor) -> Tensor:
    """Measure what each mask keeps of the feature map and of the joints' neighbourhood.

    Args:
        stages: The backbone's S stage outputs.
        targets: Ground-truth heatmaps (N, K, h, w), zero for joints that are not labelled.

    Returns:
        (S - 1, 2), float32 in [0, 1]; without any labelled joint the second figure is that of the
        feature map.
    """
    masks = stack_masks(stages)
    mass = targets.to(masks.device, masks.dtype).sum(dim=1, keepdim=True)
    total = mass.sum()
    everywhere = masks.mean(dim=(0, 2, 3))
    joints = (masks * mass).sum(dim=(0, 2, 3)) / total.clamp(min=1e-12)
    return torch.stack([everywhere, torch.where(total > 0, joints, everywhere)], dim=1)


def root_mean_square(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """Compute the root mean square over all elements; None if there is no gradient."""
    present = [gradient.detach() for gradient in gradients if gradient is not None]
    if not present:
        return None
    norm = torch.stack(torch._foreach_norm(present)).norm()
    return norm / sum(gradient.numel() for gradient in present) ** 0.5

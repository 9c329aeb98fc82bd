"""What the masks keep and how large the gradients are, while training.

Shape legend: N batch, K joints, S stages, h x w heatmap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.runner import Runner
from mmpose.registry import HOOKS
from torch import Tensor, nn

from ...models import (
    MASK_BRANCHES,
    PHASES,
    StageOutput,
    find_background,
    share_kept,
    stack_masks,
    unwrap,
)

DEATH = 1e-3  # of 0 or 1: 4 cells of 64x64; a soft mask never reaches 0 or 1 itself


@HOOKS.register_module()
class AttentionStatsHook(Hook):
    """Logs masks and gradients through MMEngine's message hub: console, json log, TensorBoard.

    Per mask M(i), the mean over the batches of all processes:

    - ``mask{i}_coverage``: the share of the feature map that is kept
    - ``mask{i}_joint_coverage``: the share of the mass of the ground-truth heatmaps
    - ``mask{i}_background_coverage``: the share of the cells outside the person's box
      (:func:`find_background`)

    "The gradients for task B are much larger than those of task A. It happens due to the
    replication layers" (paper, Sec. 3.3): root mean squares of gradients,

    - ``grad_rms_pose`` (task A) and ``grad_rms_attention`` (task B), per task that trains: at its
      parameters, as the optimizer gets them
    - ``grad_rms_feature{i}`` and ``grad_rms_mask{i}``: at the two factors of Eq. 1. They are whole
      gradients: the feature's has that of stage i's own heatmaps in it, the mask's that of Eq. 4
      and of a coverage loss.

    Warns of a mask that stays at 0 or 1, again only if it has recovered.

    Args:
        interval: Every how many iterations of an epoch to measure, >= 1, from its first on; with
            gradient accumulation, in the iteration whose gradients make the next step.
        patience: After how many measurements in a row at 0 or 1 to warn, >= 1. Masks start at
            exactly 1 in phase 2; the default leaves them 5,000 iterations, 2.7 epochs of
            MPII with the paper's batch.
    """

    def __init__(self, interval: int = 10, patience: int = 500) -> None:
        self.interval = interval
        self.patience = patience
        self._stuck: Counter[int] = Counter()  # per stage, measurements in a row at 0 or 1
        self._measuring = False
        self._stages: tuple[StageOutput, ...] = ()
        self._gradients: dict[str, Tensor] = {}
        self._handles: list = []

    def before_train(self, runner: Runner) -> None:
        """Listen to the backbone's outputs and to the optimizer's steps."""
        model = unwrap(runner.model)
        tasks: dict[str, list[nn.Parameter]] = {'attention': [], 'pose': []}
        for name, parameter in model.named_parameters():
            tasks['attention' if name.startswith(MASK_BRANCHES) else 'pose'].append(parameter)

        def keep_stages(module: nn.Module, args: tuple, stages: tuple[StageOutput, ...]) -> None:
            if self._measuring:
                self._stages = stages
                for tensor in _masked_products(stages).values():
                    tensor.retain_grad()

        def keep_gradients(optimizer: torch.optim.Optimizer, *_: Any) -> None:
            """Measure gradients when the optimizer gets them."""
            if self._measuring:
                scaler = getattr(runner.optim_wrapper, 'loss_scaler', None)
                scale = scaler.get_scale() if scaler else 1.0
                # the parameters' are unscaled, unless a fused optimizer does that, and is told so
                own = 1.0 if getattr(optimizer, 'grad_scale', None) is None else scale
                self._gradients = {
                    f'grad_rms_{task}': rms / own
                    for task, parameters in tasks.items()
                    if (rms := root_mean_square(p.grad for p in parameters)) is not None
                }
                for name, tensor in _masked_products(self._stages).items():
                    if (rms := root_mean_square([tensor.grad])) is not None:
                        self._gradients[f'grad_rms_{name}'] = rms / scale

        self._handles = [
            model.backbone.register_forward_hook(keep_stages),
            runner.optim_wrapper.optimizer.register_step_pre_hook(keep_gradients),
        ]

    def before_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict | None = None
    ) -> None:
        """Decide whether to measure this iteration."""
        self._measuring |= batch_idx % self.interval == 0

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: dict, outputs: dict | None = None
    ) -> None:
        """Put the values into the message hub."""
        if not self._gradients:  # not to be measured, or the optimizer has made no step yet
            return
        targets = torch.stack([s.gt_fields.heatmaps for s in data_batch['data_samples']])
        coverage = measure_coverage(stack_masks(self._stages), targets)
        all_reduce(coverage, 'mean')
        hub = runner.message_hub
        for i, kept in enumerate(coverage.tolist(), start=1):
            for name, share in zip(('coverage', 'joint_coverage', 'background_coverage'), kept):
                hub.update_scalar(f'train/mask{i}_{name}', share)
        for name, value in self._gradients.items():
            hub.update_scalar(f'train/{name}', value.item())
        self._measuring, self._stages, self._gradients = False, (), {}
        self._warn_of_dead_masks(runner, coverage[:, 0].tolist())

    def _warn_of_dead_masks(self, runner: Runner, coverages: list[float]) -> None:
        """Warn of masks that have just died: once, and again if they recover and die anew."""
        if not PHASES[unwrap(runner.model).phase].trains_attention:
            return
        for stage, coverage in enumerate(coverages, start=1):
            is_stuck = min(coverage, 1 - coverage) <= DEATH
            self._stuck[stage] = self._stuck[stage] + 1 if is_stuck else 0
            if self._stuck[stage] == self.patience:
                keeps, bias = ('everything', 'lower') if coverage > 0.5 else ('nothing', 'higher')
                runner.logger.warning(
                    f'the mask of stage {stage} has kept {keeps} (coverage {coverage:.3f}) for '
                    f'{self.patience} measurements (one per {self.interval} iterations): its '
                    f'attention does nothing; try a {bias} model.backbone.mask_branch.init_bias, '
                    "from which phase 'attention' starts, or another learning rate"
                )

    def after_train(self, runner: Runner) -> None:
        """Stop listening."""
        for handle in self._handles:
            handle.remove()


def measure_coverage(masks: Tensor, targets: Tensor) -> Tensor:
    """Measure what each mask keeps of the feature map, of the joints and of the background.

    Args:
        masks: (N, S - 1, h, w) in [0, 1].
        targets: Ground-truth heatmaps (N, K, h, w), zero for joints that are not labelled.

    Returns:
        (S - 1, 3), float32 in [0, 1]. Without any labelled joint, or any background, that share is
        the feature map's.
    """
    targets = targets.to(masks)  # a data loader's are not on the model's device
    joints = targets.sum(dim=1, keepdim=True)
    everywhere = masks.mean(dim=(0, 2, 3))
    shares = [
        torch.where(counted.any(), share_kept(masks, counted), everywhere)
        for counted in (joints, find_background(targets))
    ]
    return torch.stack([everywhere, *shares], dim=1)


def _masked_products(stages: tuple[StageOutput, ...]) -> dict[str, Tensor]:
    """Collect the factors of every product of Eq. 1 that a gradient reaches."""
    factors = {}
    for i, stage in enumerate(stages, start=1):
        if stage.mask is not None:
            factors.update({f'feature{i}': stage.feature, f'mask{i}': stage.mask})
    return {name: tensor for name, tensor in factors.items() if tensor.requires_grad}


def root_mean_square(gradients: Iterable[Tensor | None]) -> Tensor | None:
    """Compute the root mean square over all elements; None if there is no gradient."""
    present = [gradient.detach().float() for gradient in gradients if gradient is not None]
    if not present:
        return None
    norm = torch.stack(torch._foreach_norm(present)).norm()
    return norm / sum(gradient.numel() for gradient in present) ** 0.5

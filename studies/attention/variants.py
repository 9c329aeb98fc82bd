"""What the study compares the paper with: other masks, predictions, hand-overs and phases.

Importing this module registers them. None of them is part of the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import (
    PHASES,
    ACNNHead,
    AttentionHourglassNet,
    MaskBranch,
    Phase,
    StageOutput,
    binarise,
)

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

# both tasks at once, without the phases of the paper before it
PHASES['joint_after_pose'] = Phase(True, True, True, follows='pose')
PHASES['joint_from_scratch'] = Phase(True, True, True, follows=None)


@MODELS.register_module()
class VariedMaskBranch(MaskBranch):
    """A mask branch with what the paper's does not have; its defaults are the paper's.

    Args:
        *args: As of :class:`MaskBranch`.
        threshold: Above which probability a hard mask keeps, in (0, 1).
        temperature: By which the logit is divided, > 0.
        noise: Scale of logistic noise on the logit in training, >= 0. With 1 a hard mask is a
            sample of Bernoulli(sigmoid(logit)), differentiated as in the straight-through
            Gumbel-softmax estimator (Jang et al. 2017).
        stride: Cells of the feature map, along each axis, that share one value of the mask, >= 1;
            divides the sides of the feature map.
        **kwargs: As of :class:`MaskBranch`.

    Raises:
        ACNNError: If an argument is out of its range.
    """

    def __init__(
        self,
        *args: Any,
        threshold: float = 0.5,
        temperature: float = 1.0,
        noise: float = 0.0,
        stride: int = 1,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if not 0 < threshold < 1 or temperature <= 0 or noise < 0 or stride < 1:
            raise ACNNError(
                'a mask needs a threshold in (0, 1), a temperature > 0, noise >= 0 and a stride '
                f'>= 1, but got {threshold=}, {temperature=}, {noise=}, {stride=}'
            )
        self.threshold = threshold
        self.temperature = temperature
        self.noise = noise
        self.stride = stride

    def forward(self, y: Tensor) -> Tensor:
        """Map y (N, C, h, w) to the mask (N, 1, h, w), in [0, 1]."""
        y = F.avg_pool2d(y.detach() if self.detached else y, self.stride)
        logit = self.logit(self.hidden(y))
        if self.training and self.noise:
            # drawn in float32: bfloat16 has no number between 0.996 and 1
            uniform = torch.rand_like(logit, dtype=torch.float32)
            logit = (logit + self.noise * torch.logit(uniform, eps=1e-6)).to(logit.dtype)
        mask = torch.sigmoid(logit / self.temperature)
        if self.mode == 'hard':
            mask = binarise(mask + (0.5 - self.threshold))
        return F.interpolate(mask, scale_factor=float(self.stride))


@MODELS.register_module()
class OwnHeatmapsHead(ACNNHead):
    """A head whose predictions are P(i) = H(i), without the sum of Eq. 4."""

    def forward(self, feats: Sequence[StageOutput]) -> list[Tensor]:
        """Compute P(1) to P(S), each (N, K, h, w), float32."""
        return [heatmap.float() for heatmap in self.compute_heatmaps(feats)]


@MODELS.register_module()
class HeatmapsReinjectedNet(AttentionHourglassNet):
    """A backbone that adds a convolution of H(i) to the feature that a stage hands on.

    Args:
        *args: As of :class:`AttentionHourglassNet`.
        joints: K of the head.
        **kwargs: As of :class:`AttentionHourglassNet`.
    """

    def __init__(self, *args: Any, joints: int = 16, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reinjections = nn.ModuleList(
            nn.Conv2d(joints, self.channels, 1) for _ in range(self.num_stages - 1)
        )

    def hand_on(self, i: int, x: Tensor, feature: Tensor) -> Tensor:
        """Compute what the mask selects from, (N, C, h, w)."""
        heatmap = self.heatmap_layers[i](feature.float()).to(feature.dtype)
        return feature + self.reinjections[i](heatmap)

"""The stacked hourglass whose stages pass on only what their attention masks keep (Eq. 1 and 2).

Shape legend: N batch, C channels, S stages, H x W input image, h x w feature map (H / 4 x W / 4).
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..errors import ACNNError
from .attention import MaskBranch
from .hourglass import Hourglass, Residual, Stem, conv_norm_relu

MASK_MODES = ('ones', 'hard', 'soft')


class StageOutput(NamedTuple):
    """What one stage hands to the head.

    Attributes:
        feature: f(y) of Eq. 1 before the mask, (N, C, h, w).
        mask: M of Eq. 2, (N, 1, h, w) in [0, 1]; None means all ones.
    """

    feature: Tensor
    mask: Tensor | None


@MODELS.register_module()
class AttentionHourglassNet(BaseModule):
    """Stacked hourglass with an attention mask between stages.

    Stage i turns its input X(i) into y = X(i) + theta(X(i)), theta being an hourglass and a
    residual module, and passes on X(i+1) = f(y) * M(i) with M(i) = f_c(y) (Eq. 1 and 2). The last
    stage passes nothing on and has no mask.

    Args:
        num_stages: S, the number of stacked hourglasses, >= 1.
        channels: C, the channels of every stage, a multiple of 4.
        depth: How many times an hourglass halves its feature map, >= 1.
        mask_mode: ``'hard'``: binary masks with a straight-through gradient, as the paper
            describes; ``'soft'``: the sigmoid itself; ``'ones'``: the plain stacked hourglass,
            without mask branches.
        mask_bias: Initial logit of the masks. Positive: they start by keeping everything.
        init_cfg: MMEngine's config of the initialisation.

    Attributes:
        bypass_masks: While true, all masks are ones and their branches do not run. Set by the
            estimator in the paper's first phase.

    Raises:
        ACNNError: If an argument is out of its range.
    """

    def __init__(
        self,
        num_stages: int = 4,
        channels: int = 256,
        depth: int = 4,
        mask_mode: str = 'hard',
        mask_bias: float = 2.0,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if mask_mode not in MASK_MODES:
            raise ACNNError(f'unknown mask_mode {mask_mode!r}: choose one of {MASK_MODES}')
        if num_stages < 1 or depth < 1 or channels < 4 or channels % 4:
            raise ACNNError(
                'num_stages and depth must be at least 1 and channels a positive multiple of 4, '
                f'but got num_stages={num_stages}, depth={depth}, channels={channels}'
            )
        self.num_stages = num_stages
        self.depth = depth
        self.mask_mode = mask_mode
        self.bypass_masks = False

        self.stem = Stem(channels)
        self.thetas = nn.ModuleList(
            nn.Sequential(Hourglass(depth, channels), Residual(channels, channels))
            for _ in range(num_stages)
        )
        self.projections = nn.ModuleList(
            conv_norm_relu(channels, channels, 1) for _ in range(num_stages)
        )
        num_masks = 0 if mask_mode == 'ones' else num_stages - 1
        self.mask_branches = nn.ModuleList(
            MaskBranch(channels, mask_mode, mask_bias) for _ in range(num_masks)
        )

    def forward(self, inputs: Tensor) -> tuple[StageOutput, ...]:
        """Compute every stage's feature and mask.

        Args:
            inputs: Normalised images (N, 3, H, W), float; H and W multiples of
                ``4 * 2 ** depth``.

        Returns:
            One :class:`StageOutput` per stage, in order.

        Raises:
            ACNNError: If the hourglass can't halve the feature map ``depth`` times.
        """
        self._check_size(*inputs.shape[-2:])
        # convolutions run faster on channels-last data, and keep the format
        x = self.stem(inputs.contiguous(memory_format=torch.channels_last))
        stages = []
        for i in range(self.num_stages):
            y = x + self.thetas[i](x)
            feature = self.projections[i](y)
            has_mask = i < len(self.mask_branches) and not self.bypass_masks
            mask = self.mask_branches[i](y) if has_mask else None  # Eq. 2
            stages.append(StageOutput(feature, mask))
            x = feature if mask is None else feature * mask  # Eq. 1
        return tuple(stages)

    def _check_size(self, height: int, width: int) -> None:
        multiple = Stem.stride * 2**self.depth
        if height % multiple or width % multiple:
            raise ACNNError(
                f'an input of {width}x{height} pixels (width x height) does not fit an hourglass '
                f'of depth {self.depth}: use a width and a height that are multiples of {multiple}'
            )

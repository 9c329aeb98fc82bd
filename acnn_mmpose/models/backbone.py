"""The stacked hourglass whose stages pass on only what their attention masks keep (Eq. 1 and 2).

Shape legend: N batch, C channels, S stages, H x W input image, h x w feature map (H / 4 x W / 4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..errors import ACNNError
from .deployment import fold_norms
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
            describes; ``'soft'``: the sigmoid itself; ``'ones'``: no mask branches.
        mask_branch: Config of f_c of Eq. 2, by default a :class:`MaskBranch`.
        reinjection: K, the number of the head's heatmaps, for the base network as Newell et al.
            built it, from which published hourglasses can start: y = theta(X(i)) and
            X(i+1) = (X(i) + A f(y) + B H(i)) * M(i), A and B being 1x1 convolutions, and a bias at
            the end of residual modules. 0: as the paper says, without heatmaps.
        stem_widths: Channels inside the stem (:class:`.hourglass.Stem`); by default Newell's.
        init_cfg: MMEngine's config of the initialisation.

    Attributes:
        bypass_masks: While true, all masks are ones and their branches do not run. Set by the
            estimator in the paper's first phase.
        heatmap_layers: Of the head, one per stage: they compute H(i) from the feature.
    """

    def __init__(
        self,
        num_stages: int = 4,
        channels: int = 256,
        depth: int = 4,
        mask_mode: str = 'hard',
        mask_branch: dict | None = None,
        reinjection: int = 0,
        stem_widths: Sequence[int] | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        if num_stages < 1 or depth < 1 or channels < 4 or channels % 4:
            raise ACNNError(
                'num_stages and depth must be at least 1 and channels a positive multiple of 4, '
                f'but got {num_stages=}, {depth=}, {channels=}'
            )
        if mask_mode not in MASK_MODES:
            raise ACNNError(f'unknown mask_mode {mask_mode!r}: choose one of {MASK_MODES}')
        if reinjection < 0:
            raise ACNNError(
                f"reinjection is the number of the head's heatmaps or 0, not {reinjection}"
            )
        if stem_widths is not None and (len(stem_widths) != 3 or min(stem_widths) < 2):
            raise ACNNError(f'stem_widths are three numbers of channels, not {stem_widths}')
        self.stride = Stem.stride
        self.num_stages, self.channels, self.depth = num_stages, channels, depth
        self.mask_mode, self.reinjection = mask_mode, reinjection
        self.bypass_masks = False
        self.heatmap_layers: tuple[nn.Module, ...] = ()

        bias = reinjection > 0
        self.stem = Stem(channels, stem_widths, bias)
        self.thetas = nn.ModuleList(
            nn.Sequential(Hourglass(depth, channels, bias), Residual(channels, channels, bias))
            for _ in range(num_stages)
        )
        self.projections = nn.ModuleList(
            conv_norm_relu(channels, channels, 1) for _ in range(num_stages)
        )
        merges = range(num_stages - 1 if reinjection else 0)  # A and B
        self.feature_merges = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in merges)
        self.heatmap_merges = nn.ModuleList(nn.Conv2d(reinjection, channels, 1) for _ in merges)
        branch = {'type': 'MaskBranch', **(mask_branch or {}), 'channels': channels}
        self.mask_branches = nn.ModuleList(
            MODELS.build({**branch, 'mode': mask_mode})
            for _ in range(0 if mask_mode == 'ones' else num_stages - 1)
        )
        # beside mask_mode, what decides which masks come of the same weights
        training = ('channels', 'init_bias', 'detached')
        self.mask_branch = {k: v for k, v in branch.items() if k not in training}

    def forward(self, inputs: Tensor) -> tuple[StageOutput, ...]:
        """Compute every stage's feature and mask, in order, of normalised images (N, 3, H, W)."""
        self.check_size(*inputs.shape[-2:])
        # convolutions run faster on channels-last data, and keep the format
        dtype = next(self.stem.parameters()).dtype  # of convolutions outside of autocast
        return self.run_stages(self.stem(inputs.to(dtype, memory_format=torch.channels_last)))

    def run_stages(self, x: Tensor) -> tuple[StageOutput, ...]:
        """Compute every stage's feature and mask, in order, of X(1) (N, C, h, w)."""
        stages = []
        for i, (theta, f) in enumerate(zip(self.thetas, self.projections)):
            y = theta(x) if self.reinjection else x + theta(x)
            feature, mask = f(y), self.compute_mask(i, y)  # Eq. 2
            stages.append(StageOutput(feature, mask))
            if i + 1 < self.num_stages:
                x = self.hand_on(i, x, feature)
                x = x if mask is None else x * mask  # Eq. 1
        return tuple(stages)

    def compute_mask(self, i: int, y: Tensor) -> Tensor | None:
        """Compute M(i) = f_c(y), stages counting from 0; None: all ones."""
        if self.bypass_masks or i >= len(self.mask_branches):
            return None
        return self.mask_branches[i](y)

    def hand_on(self, i: int, x: Tensor, feature: Tensor) -> Tensor:
        """Compute what the mask of Eq. 1 selects from, (N, C, h, w): in the paper, f(y).

        Stage i counts from 0 and is not the last one; x is its input X, (N, C, h, w).
        """
        if not self.reinjection:
            return feature
        heatmaps = self.heatmap_layers[i](feature.float()).to(feature.dtype)
        return x + self.feature_merges[i](feature) + self.heatmap_merges[i](heatmaps)

    def switch_to_deploy(self, test_cfg: dict | None = None) -> None:
        """Drop what prediction does not need; MMPose's estimators call this, once."""
        if self.bypass_masks:
            self.mask_branches = nn.ModuleList()
        fold_norms(self)

    def check_size(self, height: int, width: int) -> None:
        """Refuse an input size in pixels that the hourglass can't halve ``depth`` times."""
        multiple = self.stride * 2**self.depth
        if height % multiple or width % multiple:
            raise ACNNError(
                f'an input of {width}x{height} pixels (width x height) does not fit an hourglass '
                f'of depth {self.depth}: use a width and a height that are multiples of {multiple}'
            )

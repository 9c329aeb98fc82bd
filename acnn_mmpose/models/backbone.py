"""The stacked hourglass whose stages pass on only what their attention masks keep (Eq. 1 and 2).

Shape legend: N batch, C channels, S stages, H x W input image, h x w feature map (H / 4 x W / 4).
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from mmengine.model import BaseModule
from mmpose.registry import MODELS
from torch import Tensor, nn

from ..errors import ACNNError
from .attention import MaskBranch
from .fusion import fold_norms
from .hourglass import Hourglass, Residual, Stem, conv_norm_relu
from .sparse import run_sparse_stage

MASK_MODES = ('ones', 'hard', 'soft')


class StageOutput(NamedTuple):
    """What one stage hands to the head.

    Attributes:
        feature: f(y) of Eq. 1 before the mask, (N, C, h, w).
        mask: M of Eq. 2, (N, 1, h, w) in [0, 1]; None means all ones.
        computed: The cells in which a sparse stage was computed, (N, 1, h, w), each value 0 or 1:
            the mask of the stage before; elsewhere feature and mask are 0. None: everywhere.
    """

    feature: Tensor
    mask: Tensor | None
    computed: Tensor | None = None


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
        mask_bias: Initial logit of the masks. Positive: they start by keeping everything, with
            the default threshold.
        mask_threshold: Above which probability a hard mask keeps, in (0, 1).
        mask_temperature: By which the masks' logits are divided, > 0.
        mask_noise: Scale of logistic noise on the logits in training; 1 samples hard masks from
            Bernoulli(sigmoid(logit)).
        mask_stride: Cells, along each axis, that share one value of a mask; divides ``2 ** depth``.
        detached_masks: Keep task B's gradients from task A: mask branches read y, and send no
            gradient back to it.
        reinjected_heatmaps: K to add a 1x1 convolution of H(i) to the feature that stage i hands
            on, as Newell et al. do; 0 hands on features only (Eq. 1). The estimator then gives
            the backbone the head's layers.
        sparse: Compute a stage only in the cells that the mask before it keeps
            (:mod:`.sparse`): another function, with nothing in discarded cells, and faster the
            less is kept. Needs ``'hard'`` masks. Compiled or exported, the same function is
            computed on maps in full.
        init_cfg: MMEngine's config of the initialisation.

    Attributes:
        sparse: As the argument; may be changed at any time where masks are hard.
        is_compiled: Whether ``forward`` has been compiled. Set by the estimator.
        bypass_masks: While true, all masks are ones and their branches do not run. Set by the
            estimator in the paper's first phase.
        heatmap_layers: Of the head, one per stage: they compute H(i) for re-injection.

    Raises:
        ACNNError: If an argument is out of its range.
    """

    is_compiled = False

    def __init__(
        self,
        num_stages: int = 4,
        channels: int = 256,
        depth: int = 4,
        mask_mode: str = 'hard',
        mask_bias: float = 2.0,
        mask_threshold: float = 0.5,
        mask_temperature: float = 1.0,
        mask_noise: float = 0.0,
        mask_stride: int = 1,
        detached_masks: bool = False,
        reinjected_heatmaps: int = 0,
        sparse: bool = False,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(init_cfg)
        _check_network(num_stages, channels, depth, reinjected_heatmaps)
        _check_masks(mask_mode, mask_stride, depth)
        self.stride = Stem.stride
        self.num_stages = num_stages
        self.channels = channels
        self.depth = depth
        if sparse and mask_mode != 'hard':
            raise ACNNError(
                "sparse stages compute what binary masks keep: sparse=True needs mask_mode='hard', "
                f'not {mask_mode!r}'
            )
        self.mask_mode = mask_mode
        self.mask_threshold = mask_threshold
        self.mask_temperature = mask_temperature
        self.mask_stride = mask_stride
        self.detached_masks = detached_masks
        self.bypass_masks = False
        self.heatmap_layers: tuple[nn.Module, ...] = ()
        self.sparse = sparse

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
            MaskBranch(
                channels,
                mask_mode,
                mask_bias,
                mask_threshold,
                mask_temperature,
                mask_noise,
                mask_stride,
            )
            for _ in range(num_masks)
        )
        self.reinjections = nn.ModuleList(
            nn.Conv2d(reinjected_heatmaps, channels, 1)
            for _ in range(num_stages - 1 if reinjected_heatmaps else 0)
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
        self.check_size(*inputs.shape[-2:])
        # convolutions run faster on channels-last data, and keep the format
        x = self.stem(inputs.to(self._dtype, memory_format=torch.channels_last))
        stages = []
        mask = None  # of the stage before; None: all ones
        for i in range(self.num_stages):
            stages.append(self._run_stage(i, x, mask))
            x, mask = stages[i].feature, stages[i].mask
            if i < len(self.reinjections):
                heatmap = self.heatmap_layers[i](x.float()).to(x.dtype)
                x = x + self.reinjections[i](heatmap)
        return tuple(stages)

    def _run_stage(self, i: int, x: Tensor, mask: Tensor | None) -> StageOutput:
        """Map what stage i - 1 hands on, not yet masked, and M(i-1) to stage i's; from 0."""
        theta, f = self.thetas[i], self.projections[i]
        has_mask = i < len(self.mask_branches) and not self.bypass_masks
        branch = cast(MaskBranch, self.mask_branches[i]) if has_mask else None
        if self.sparse and mask is not None:
            in_full = self.is_compiled or torch.jit.is_tracing()
            feature, next_mask = run_sparse_stage(theta, f, branch, x, mask, in_full=in_full)
            return StageOutput(feature, next_mask, computed=mask)
        x = x if mask is None else x * mask  # Eq. 1
        y = x + theta(x)
        if branch is None:
            return StageOutput(f(y), None)
        return StageOutput(f(y), branch(y.detach() if self.detached_masks else y))  # Eq. 2

    @property
    def _dtype(self) -> torch.dtype:
        """The dtype that convolutions compute in, outside of autocast."""
        return next(self.stem.parameters()).dtype

    def switch_to_deploy(self, test_cfg: dict | None = None) -> None:
        """Drop what prediction does not need; MMPose's estimators call this, once.

        Args:
            test_cfg: The estimator's, unused.
        """
        if self.bypass_masks:
            self.mask_branches = nn.ModuleList()
        fold_norms(self)

    def check_size(self, height: int, width: int) -> None:
        """Refuse an input size in pixels.

        Raises:
            ACNNError: If the hourglass can't halve the feature map ``depth`` times.
        """
        multiple = self.stride * 2**self.depth
        if height % multiple or width % multiple:
            raise ACNNError(
                f'an input of {width}x{height} pixels (width x height) does not fit an hourglass '
                f'of depth {self.depth}: use a width and a height that are multiples of {multiple}'
            )


def _check_network(num_stages: int, channels: int, depth: int, reinjected_heatmaps: int) -> None:
    """Check the arguments that say how large the network is."""
    if num_stages < 1 or depth < 1 or channels < 4 or channels % 4:
        raise ACNNError(
            'num_stages and depth must be at least 1 and channels a positive multiple of 4, '
            f'but got num_stages={num_stages}, depth={depth}, channels={channels}'
        )
    if reinjected_heatmaps < 0:
        raise ACNNError(
            'reinjected_heatmaps is the number of heatmaps that a stage hands on, 0 for none, '
            f'but is {reinjected_heatmaps}'
        )


def _check_masks(mask_mode: str, mask_stride: int, depth: int) -> None:
    """Check the arguments that say what masks are."""
    if mask_mode not in MASK_MODES:
        raise ACNNError(f'unknown mask_mode {mask_mode!r}: choose one of {MASK_MODES}')
    if mask_stride < 1 or 2**depth % mask_stride:
        raise ACNNError(
            f'mask_stride must divide 2 ** depth = {2**depth}, so that it divides every '
            f'feature map, but is {mask_stride}'
        )

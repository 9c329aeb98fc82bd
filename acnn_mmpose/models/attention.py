"""Attention masks (paper, Eq. 2): which regions of a stage's feature go on to the next stage."""

from __future__ import annotations

import torch
from mmengine.model import constant_init
from mmpose.registry import MODELS
from torch import Tensor, nn

from .hourglass import conv_norm_relu


def binarise(probability: Tensor) -> Tensor:
    """Threshold probabilities at 0.5, with a straight-through gradient.

    The paper's mask is binary and its activation a sigmoid (Sec. 3.2); a threshold alone has no
    gradient. Forward this is exactly 0 or 1, backward it is the identity, so that the gradient of
    the sigmoid reaches the mask branch.
    """
    binary = (probability > 0.5).to(probability.dtype)
    return binary + (probability - probability.detach())  # the difference is exactly 0


@MODELS.register_module()
class MaskBranch(nn.Module):
    """f_c of Eq. 2: one attention mask from a stage's y = X + theta(X).

    "Batch Normalization and ReLU at every convolutional layer, except for the 1x1 convolutional
    layers to generate the heatmaps and the attention masks" (Sec. 3.2). The last convolution
    starts with zero weights and a positive bias, so that every ``'hard'`` mask starts as all ones
    and phase 2 from the very function that phase 1 learned.

    Args:
        channels: Channels C of y; the hidden convolution has a quarter as many.
        mode: ``'hard'`` (0 or 1, straight-through gradient) or ``'soft'`` (the sigmoid itself).
        init_bias: Initial logit of every mask; positive: a hard mask starts by keeping everything.
        detached: Keep task B's gradients from task A: the branch sends none back to y, so that a
            price on what masks keep does not move the features that poses are made of.
    """

    def __init__(
        self, channels: int, mode: str = 'hard', init_bias: float = 2.0, detached: bool = False
    ) -> None:
        super().__init__()
        self.mode = mode
        self.detached = detached
        self.hidden = conv_norm_relu(channels, channels // 4, 1)
        self.logit = nn.Conv2d(channels // 4, 1, 1)
        constant_init(self.logit, 0, bias=init_bias)

    def forward(self, y: Tensor) -> Tensor:
        """Map y (N, C, h, w) to the mask (N, 1, h, w), in [0, 1]."""
        mask = torch.sigmoid(self.logit(self.hidden(y.detach() if self.detached else y)))
        return binarise(mask) if self.mode == 'hard' else mask

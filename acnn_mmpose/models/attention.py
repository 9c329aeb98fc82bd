"""Attention masks (paper, Eq. 2): which regions of a stage's feature go on to the next stage."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from mmengine.model import constant_init
from torch import Tensor, nn

from ..errors import ACNNError
from .hourglass import conv_norm_relu


def binarise(probability: Tensor, threshold: float = 0.5) -> Tensor:
    """Threshold with a straight-through gradient.

    The paper's mask is binary and its activation a sigmoid (Sec. 3.2); a threshold alone has no
    gradient. Forward this is exactly 0 or 1, backward it is the identity, so that the gradient of
    the sigmoid reaches the mask branch.

    Args:
        probability: Any shape, in [0, 1].
        threshold: In (0, 1).

    Returns:
        Same shape and dtype: 1 where ``probability > threshold``, else 0.
    """
    binary = (probability > threshold).to(probability.dtype)
    return binary + (probability - probability.detach())  # the difference is exactly 0


class MaskBranch(nn.Module):
    """f_c of Eq. 2: one attention mask from a stage's y = X + theta(X).

    "Batch Normalization and ReLU at every convolutional layer, except for the 1x1 convolutional
    layers to generate the heatmaps and the attention masks" (Sec. 3.2). The last convolution
    starts with zero weights and a positive bias, so that every mask starts as exactly all ones in
    mode ``'hard'`` and phase 2 starts from the very function that phase 1 learned.

    Args:
        channels: Channels C of y; the hidden convolution has a quarter as many.
        mode: ``'hard'`` (0 or 1, straight-through gradient) or ``'soft'`` (the sigmoid itself).
        initial_bias: Initial logit of every mask. A hard mask starts open if
            sigmoid(initial_bias / temperature) > threshold.
        threshold: Above which probability a hard mask keeps, in (0, 1).
        temperature: By which the logit is divided, > 0.
        noise: Scale of logistic noise on the logit in training, >= 0. With 1 a hard mask is a
            sample of Bernoulli(sigmoid(logit)), differentiated as in the straight-through
            Gumbel-softmax estimator (Jang et al. 2017).
        stride: Cells of the feature map, along each axis, that share one value of the mask, >= 1.

    Raises:
        ACNNError: If an argument is out of its range.
    """

    def __init__(
        self,
        channels: int,
        mode: str = 'hard',
        initial_bias: float = 2.0,
        threshold: float = 0.5,
        temperature: float = 1.0,
        noise: float = 0.0,
        stride: int = 1,
    ) -> None:
        super().__init__()
        if not 0 < threshold < 1 or temperature <= 0 or noise < 0 or stride < 1:
            raise ACNNError(
                'a mask needs a threshold in (0, 1), a temperature > 0, noise >= 0 and a stride '
                f'>= 1, but got {threshold=}, {temperature=}, {noise=}, {stride=}'
            )
        self.mode = mode
        self.threshold = threshold
        self.temperature = temperature
        self.noise = noise
        self.stride = stride
        self.hidden = conv_norm_relu(channels, channels // 4, 1)
        self.logit = nn.Conv2d(channels // 4, 1, 1)
        constant_init(self.logit, 0, bias=initial_bias)

    def forward(self, y: Tensor) -> Tensor:
        """Map y (N, C, h, w) to the mask (N, 1, h, w), in [0, 1]."""
        if self.stride > 1:
            y = F.avg_pool2d(y, self.stride)
        logit = self.logit(self.hidden(y))
        if self.training and self.noise:
            # drawn in float32: bfloat16 has no number between 0.996 and 1
            uniform = torch.rand_like(logit, dtype=torch.float32)
            logit = (logit + self.noise * torch.logit(uniform, eps=1e-6)).to(logit.dtype)
        mask = torch.sigmoid(logit / self.temperature)
        if self.mode == 'hard':
            mask = binarise(mask, self.threshold)
        return mask if self.stride == 1 else F.interpolate(mask, scale_factor=self.stride)

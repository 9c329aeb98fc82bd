"""BatchNorm folded into convolutions: the same function of an image with fewer operations."""

from __future__ import annotations

import torch
from mmcv.cnn import fuse_conv_bn
from torch import nn

from .hourglass import Residual


@torch.no_grad()
def fold_norms(network: nn.Module) -> None:
    """Fold every BatchNorm that directly follows a convolution into it, in place.

    With fixed statistics a norm is y * scale + shift per channel, which the convolution that made
    y can do with other weights and a bias. That is the norm of conv-BN-ReLU, and the second and
    third of a pre-activation residual. The first norm of a residual stays: the shortcut takes the
    same input without it, and a ReLU stands between it and the convolution that follows.

    Args:
        network: Of this package's modules; it can't train any more.
    """
    for module in list(network.modules()):
        if isinstance(module, Residual):
            # one flat chain, in which fuse_conv_bn sees that a norm follows a convolution
            blocks = module.branch.children()
            module.branch = nn.Sequential(*(layer for b in blocks for layer in b.children()))
    fuse_conv_bn(network)

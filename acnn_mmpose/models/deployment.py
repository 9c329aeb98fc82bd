"""Faster prediction: norms folded into convolutions, torch.compile with frozen weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn

from ..errors import ACNNError
from .hourglass import Residual


@torch.no_grad()
def fold_norms(network: nn.Module) -> None:
    """Fold every BatchNorm that directly follows a convolution into it, in place.

    With fixed statistics a norm is y * scale + shift per channel, which the convolution that made
    y can do. That is the norm of conv-BN-ReLU, and the second and third of a pre-activation
    residual. The first norm of a residual stays: the shortcut takes the same input without it.
    """
    for module in list(network.modules()):
        if isinstance(module, Residual):
            # one flat chain, in which fuse_conv_bn sees that a norm follows a convolution
            blocks = module.branch.children()
            module.branch = nn.Sequential(*(layer for b in blocks for layer in b.children()))
    fuse_conv_bn(network)


def compile_frozen(forward: Callable[[Tensor], tuple]) -> Callable[[Tensor], tuple]:
    """Compile a module's bound forward with its weights frozen in: packed once, scales folded.

    The first call compiles, and so does the first one with another batch or image size. No
    gradients are recorded; :class:`ACNNError` is raised where torch finds no compiler.
    """
    from torch._dynamo.exc import BackendCompilerFailed  # takes a second to import
    from torch._inductor import config

    compiled = torch.compile(forward)

    @wraps(forward)
    def frozen(inputs: Tensor) -> tuple:
        """Run the compiled method, which the first call compiles."""
        # torch reads the setting when it traces, so an option of torch.compile comes too late
        with torch.no_grad(), config.patch(freezing=True):
            try:
                return compiled(inputs)
            except BackendCompilerFailed as error:
                reason = str(error).strip().splitlines()[0]
                raise ACNNError(
                    f'torch.compile failed ({reason}): on a CPU it needs a C++ compiler such as '
                    'g++; deploy with compile=False'
                ) from error

    return frozen

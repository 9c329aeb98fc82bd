"""torch.compile for prediction, with weights as constants."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import torch
from torch import Tensor

from ..errors import ACNNError


def compile_frozen(forward: Callable[[Tensor], tuple]) -> Callable[[Tensor], tuple]:
    """Compile a module's forward with its weights frozen in: packed once, scales folded.

    The first call compiles, and so does the first one with another batch or image size.

    Args:
        forward: The bound method. Later changes of the weights have no effect.

    Returns:
        The compiled one, which records no gradients and raises :class:`ACNNError` where torch
        finds no compiler.
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

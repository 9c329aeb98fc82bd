"""ONNX Runtime: starting it, and saying what is wrong when it does not start."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ..errors import ACNNError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

CPU = ('CPUExecutionProvider',)


def import_package(name: str) -> ModuleType:
    """Import ``onnx`` or ``onnxruntime``, which training does without.

    Raises:
        ACNNError: If it can't be imported.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ACNNError(
            f'{name} could not be imported ({error}): pip install onnx onnxruntime; '
            'prediction needs onnxruntime only'
        ) from error


def start_session(
    model: str | Path | bytes,
    providers: Sequence[str] = CPU,
    options: SessionOptions | None = None,
) -> InferenceSession:
    """Load a network into ONNX Runtime.

    Args:
        model: The .onnx file, or its content.
        providers: What it runs on, in order of preference, by ONNX Runtime's names.
        options: ONNX Runtime's, for example the number of threads.

    Raises:
        ACNNError: If ONNX Runtime is not installed, there is no such file or provider, or the file
            is not a network that it can run.
    """
    runtime = import_package('onnxruntime')
    name = 'the exported network' if isinstance(model, bytes) else str(model)
    if not isinstance(model, bytes) and not Path(model).is_file():
        raise ACNNError(f'ONNX file {name} does not exist')
    available = runtime.get_available_providers()
    missing = [provider for provider in providers if provider not in available]
    if missing:
        raise ACNNError(
            f'ONNX Runtime has no {missing[0]} here: choose of {", ".join(available)}, or install '
            'the build of onnxruntime that has it'
        )
    content = model if isinstance(model, bytes) else str(model)
    try:
        return runtime.InferenceSession(content, options, providers=list(providers))
    except Exception as error:  # its exceptions have no common base
        raise ACNNError(
            f'{name} is not a network that ONNX Runtime {runtime.__version__} can run: '
            f'{str(error).splitlines()[0]}'
        ) from error

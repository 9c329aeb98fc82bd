"""Reading MATLAB files, with one sentence where that fails, and making them."""

from __future__ import annotations

import faulthandler
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat, savemat

from ..errors import ACNNError

HEADING = b'MATLAB 5.0 MAT-file of acnn_mmpose'.ljust(116)  # SciPy's has the time in it


def load_mat(path: str | Path, *variables: str) -> list[np.ndarray]:
    """Read variables of a .mat file, whose other variables must be readable, too.

    Raises:
        ACNNError: If the file is missing, can not be read, or lacks a variable.
    """
    if not Path(path).is_file():
        raise ACNNError(f'{path} does not exist')
    try:
        _try_in_another_process(path)
        content = loadmat(path)  # version 7.3, which is HDF5, is a NotImplementedError
    except Exception as error:  # damaged files make scipy raise anything
        raise ACNNError(f'{path} can not be read as a MATLAB 5 to 7 file: {error}') from error
    if missing := [variable for variable in variables if variable not in content]:
        raise ACNNError(f'{path} has no variable {missing[0]!r}: give another file')
    return [content[variable] for variable in variables]


def mat_bytes(variables: dict[str, Any]) -> bytes:
    """Return the content of a compressed .mat file with these variables, the same at any time."""
    stream = io.BytesIO()
    savemat(stream, variables, do_compression=True)
    return HEADING + stream.getvalue()[len(HEADING) :]


def _try_in_another_process(path: str | Path) -> None:
    """Read a file where a crash does no harm: scipy's reader ends on some damaged ones by one."""
    if not hasattr(os, 'fork'):
        return
    child = os.fork()
    if child == 0:
        try:
            faulthandler.disable()  # the crash is expected
            loadmat(path)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        raise OSError('it is damaged so that the reader crashes')

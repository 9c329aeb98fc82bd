"""Reading MATLAB files, with one sentence where that fails."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from ..errors import ACNNError


def load_mat(path: str | Path, variable: str) -> np.ndarray:
    """Read one variable of a .mat file.

    Raises:
        ACNNError: If the file is missing, can not be read, or does not have the variable.
    """
    if not Path(path).is_file():
        raise ACNNError(f'{path} does not exist')
    try:
        content = loadmat(path, variable_names=[variable])
    except (
        *(MatReadError, zlib.error, OSError, TypeError, ValueError),
        NotImplementedError,  # version 7.3, which is HDF5
    ) as error:
        raise ACNNError(f'{path} can not be read as a MATLAB 5 to 7 file: {error}') from error
    if variable not in content:
        raise ACNNError(f'{path} has no variable {variable!r}')
    return content[variable]

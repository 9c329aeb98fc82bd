"""Reading pickles of plain Python values and numpy arrays, and of nothing that could run code."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np

_CORE = 'numpy.core' if np.lib.NumpyVersion(np.__version__) < '2.0.0b1' else 'numpy._core'
_ALLOWED = {
    ('_codecs', 'encode'),
    ('numpy', 'dtype'),
    ('numpy', 'ndarray'),
    (f'{_CORE}.multiarray', '_reconstruct'),
    (f'{_CORE}.multiarray', 'scalar'),
    (f'{_CORE}.numeric', '_frombuffer'),
}


class _NumpyUnpickler(pickle._Unpickler):
    """Refuses all but what numpy's pickles ask for.

    It is the Python version of the unpickler, as torch's safe one is: a damaged number can make
    the one in C ask for gigabytes of memory.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Look up a type or function that a pickle names."""
        # numpy 1 and 2 write different module names; a file of either must load under both
        module = re.sub(r'^numpy\._?core\.', f'{_CORE}.', module)
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f'it asks for {module}.{name}, which could run code')
        return super().find_class(module, name)


def load_numpy_pickle(path: Path) -> Any:
    """Load a pickle.

    Raises:
        pickle.UnpicklingError: If it holds anything but plain values and numpy arrays.
        Exception: If it is damaged; what is raised depends on where.
    """
    with path.open('rb') as file:
        return _NumpyUnpickler(file).load()

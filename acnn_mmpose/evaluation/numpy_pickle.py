"""Reading pickles of plain Python values and numpy arrays, and of nothing that could run code."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

_FUNCTIONS = {'_reconstruct', 'scalar', '_frombuffer'}  # what numpy's own pickles call


class _NumpyUnpickler(pickle._Unpickler):
    """Refuses all but numpy's types.

    It is the Python version of the unpickler, as torch's safe one is: a damaged number can make
    the one in C ask for gigabytes of memory.
    """

    def find_class(self, module: str, name: str) -> Any:
        """Look up a type or function that a pickle names."""
        # numpy 1 and 2 write different module names; a file of either must load under both
        package, _, submodule = module.replace('numpy._core', 'numpy.core').rpartition('.')
        if (module, name) in (('numpy', 'ndarray'), ('numpy', 'dtype'), ('_codecs', 'encode')):
            return super().find_class(module, name)
        if (
            package == 'numpy.core'
            and submodule in ('multiarray', 'numeric')
            and name in _FUNCTIONS
        ):
            core = (
                'numpy.core' if np.lib.NumpyVersion(np.__version__) < '2.0.0b1' else 'numpy._core'
            )
            return super().find_class(f'{core}.{submodule}', name)
        raise pickle.UnpicklingError(f'it asks for {module}.{name}, which could run code')


def load_numpy_pickle(path: Path) -> Any:
    """Load a pickle.

    Raises:
        pickle.UnpicklingError: If it holds anything but plain values and numpy arrays.
        Exception: If it is damaged; what is raised depends on where.
    """
    with path.open('rb') as file:
        return _NumpyUnpickler(file).load()

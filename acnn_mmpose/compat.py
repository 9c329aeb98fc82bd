"""The one place that changes or stands in for parts of other packages.

``import acnn_mmpose`` runs :func:`install` before anything of MMPose is imported, and
:func:`load_checkpoints_with` once its own loaders exist. On a complete installation they change
two things: torch's list of types that a checkpoint may contain (where it has one), and how MMEngine
loads checkpoints; with numpy >= 2.5 a third, how MMPose draws joints. And the warning that
``pkg_resources`` is deprecated is hidden.
"""

from __future__ import annotations

import codecs
import functools
import importlib
import importlib.util
import pickle
import sys
import warnings
import zipfile
from _compat_pickle import IMPORT_MAPPING
from collections import Counter
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Callable

import mmengine.runner.checkpoint
import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner import CheckpointLoader
from mmengine.utils import digit_version

from .mmcv_ops import nms

# older ones have no such mode by default, and the one that they have knows too few types
LOADS_SAFELY = digit_version(torch.__version__) >= digit_version('2.6.0')


def install() -> None:
    """Make MMPose importable and Runner checkpoints loadable; safe to call again."""
    # which MMEngine imports, and loads anew, so that every tool would print it
    warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
    _provide_torchvision()
    _provide_mmcv_ops()
    _allow_checkpoint_types()
    _let_numpy_draw_circles()


def load_checkpoints_with(load_file: Callable[..., Any], load_url: Callable[..., Any]) -> None:
    """Make MMEngine load files and addresses by loaders that run no code of checkpoints."""
    CheckpointLoader.register_scheme(prefixes='', loader=load_file, force=True)
    setattr(mmengine.runner.checkpoint, 'load_url', load_url)  # noqa: B010


class _Placeholder(ModuleType):
    """Stands in for a module that can't be imported; what it serves raises when called."""

    __version__ = '0.0.0'

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, doc=f'Placeholder: {reason}')
        self.__spec__ = ModuleSpec(name, loader=None)
        self._reason = reason

    def __getattr__(self, attribute: str) -> Callable[..., Any]:
        if attribute.startswith('__'):
            raise AttributeError(f'{self.__name__} has no attribute {attribute}')

        def unavailable(*args: Any, **kwargs: Any) -> None:
            raise ImportError(f'{self.__name__}.{attribute} was called, but {self._reason}')

        return unavailable


def _provide_mmcv_ops() -> None:
    """Let ``mmpose.models`` import on mmcv-lite, whose detectors call ``nms`` alone."""
    if 'mmcv._ext' not in sys.modules and importlib.util.find_spec('mmcv._ext') is None:
        reason = 'mmcv-lite has no compiled operators; install full mmcv to use what needs them'
        extension = _Placeholder('mmcv._ext', reason)
        setattr(extension, 'nms', nms)  # noqa: B010
        sys.modules['mmcv._ext'] = extension


def _provide_torchvision() -> None:
    """Let MMPose import where torchvision is absent or built for another torch.

    MMPose needs one name of it, ``torchvision.transforms.ToPILImage``, to draw SimCC labels.
    A torchvision built for CUDA fails beside a CPU-only torch ("torchvision::nms does not exist").
    """
    try:
        importlib.import_module('torchvision.transforms')
    except (ImportError, OSError, RuntimeError) as error:
        for name in [n for n in sys.modules if n.partition('.')[0] == 'torchvision']:
            del sys.modules[name]
        reason = f'torchvision could not be imported ({error})'
        package = _Placeholder('torchvision', reason)
        transforms = _Placeholder('torchvision.transforms', reason)
        setattr(package, 'transforms', transforms)  # noqa: B010
        sys.modules['torchvision'] = package
        sys.modules['torchvision.transforms'] = transforms


def _history_buffer_method(owner: type, name: str) -> Callable[..., Any]:
    """Serve what MMEngine's message hub pickles through ``getattr``, and nothing else."""
    if owner is not HistoryBuffer or name not in ('current', 'max', 'mean', 'min'):
        raise pickle.UnpicklingError(f'a checkpoint may not look up {name!r} of {owner!r}')
    return getattr(owner, name)


def _checkpoint_types() -> list[Any]:
    """List what a checkpoint of MMEngine's Runner contains that torch does not know.

    Entries are types and functions, or pairs of one and the name that files know it by.
    """
    multiarray = importlib.import_module(
        'numpy._core.multiarray' if np.lib.NumpyVersion(np.__version__) >= '2.0.0b1'
        else 'numpy.core.multiarray'
    )  # fmt: skip
    return [
        HistoryBuffer,
        (_history_buffer_method, 'builtins.getattr'),
        np.ndarray,
        np.dtype,
        *{type(np.dtype(code)) for code in '?bBhHiIlLqQefd'},
        # numpy 1 and 2 write different module names; a file of either must load under both
        *(
            (getattr(multiarray, function), f'numpy.{package}.multiarray.{function}')
            for function in ('_reconstruct', 'scalar')
            for package in ('core', '_core')
        ),
    ]


def _allow_checkpoint_types() -> None:
    """Tell torch which types a checkpoint of MMEngine's Runner contains.

    torch >= 2.6 loads with ``weights_only=True`` and refuses every type it does not know; MMEngine
    stores its log history as numpy arrays. Anything else is still refused.
    """
    if LOADS_SAFELY:
        torch.serialization.add_safe_globals(_checkpoint_types())


def load_safely(path: Path, map_location: Any = None) -> Any:
    """Run ``torch.load`` so that no torch runs code of the file.

    Raises:
        pickle.UnpicklingError: If the file asks for a type that is not known to be harmless.
    """
    if LOADS_SAFELY:
        return torch.load(path, map_location=map_location)
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(Path(name).name == 'constants.pkl' for name in archive.namelist()):
                raise pickle.UnpicklingError('a TorchScript archive holds code')
    return torch.load(path, map_location=map_location, pickle_module=_safe_pickle())


@functools.lru_cache
def _safe_pickle() -> ModuleType:
    """Stand in for ``pickle`` in ``torch.load``: torch < 2.6 can't be told of more types."""
    unpickler = importlib.import_module('torch._weights_only_unpickler')
    allowed = dict(unpickler._get_allowed_globals())
    types = [Counter, set, torch.device, (codecs.encode, '_codecs.encode'), *_checkpoint_types()]
    types += [(kind, str(kind)) for kind in (torch.bfloat16, torch.bool, torch.uint8)]
    named = (e if isinstance(e, tuple) else (e, f'{e.__module__}.{e.__qualname__}') for e in types)
    allowed.update((name, kind) for kind, name in named)

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            full_name = f'{IMPORT_MAPPING.get(module, module)}.{name}'
            if full_name not in allowed:
                raise pickle.UnpicklingError(f'GLOBAL {full_name} is not known to be harmless')
            return allowed[full_name]

    safe = ModuleType('safe_pickle')
    setattr(safe, 'Unpickler', Unpickler)  # noqa: B010
    setattr(safe, 'load', lambda file, **options: Unpickler(file, **options).load())  # noqa: B010
    return safe


def _let_numpy_draw_circles() -> None:
    """Give OpenCV a number for a radius: MMPose makes an int of an array, not so numpy >= 2.5."""
    # which imports what the steps before this one provide
    from mmpose.visualization.opencv_backend_visualizer import OpencvBackendVisualizer

    draw = OpencvBackendVisualizer.draw_circles
    if np.lib.NumpyVersion(np.__version__) < '2.5.0' or draw.__module__ == __name__:
        return

    @functools.wraps(draw, assigned=['__doc__'])
    def draw_circles(self: Any, center: Any, radius: Any, *args: Any, **kwargs: Any) -> Any:
        if self.backend == 'opencv':
            radius = np.asarray(radius).item()
        return draw(self, center, radius, *args, **kwargs)

    OpencvBackendVisualizer.draw_circles = draw_circles

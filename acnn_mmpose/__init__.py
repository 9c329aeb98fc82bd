"""ACNN, a self-attention hourglass network for human pose estimation, as a plugin for MMPose.

Importing this package registers its modules in MMPose's registries.
"""

from . import compat
from .version import __version__

compat.install()  # before anything below imports MMPose

from . import datasets, engine, evaluation, models, visualization  # noqa: E402

__all__ = ['__version__', 'datasets', 'engine', 'evaluation', 'models', 'visualization']

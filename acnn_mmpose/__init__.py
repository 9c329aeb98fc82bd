"""ACNN, a self-attention hourglass network for human pose estimation, as a plugin for MMPose.

Importing this package registers its modules in MMPose's registries. Where MMPose is not installed
there is nothing to register: what remains is what needs none of it, to run an exported network
(:mod:`acnn_mmpose.deploy.onnx_predictor`); anything else names the commands that install MMPose.
"""

import importlib.util

from .version import __version__

if importlib.util.find_spec('mmpose') is not None:
    from . import compat

    compat.install()  # before anything below imports MMPose

    from . import checkpoints, datasets, engine, evaluation, models, mpii, visualization

    compat.load_checkpoints_with(checkpoints.load_from_local, checkpoints.load_url)
else:
    from . import absent

    absent.name_the_commands()

"""Distributed start-up where MMEngine's own does not work: without a GPU."""

from __future__ import annotations

import os

import torch
from mmengine.config import Config
from torch import distributed

from ..errors import ACNNError


def set_launcher(cfg: Config, launcher: str) -> None:
    """Choose how processes find each other.

    MMEngine calls ``torch.cuda.set_device`` for every launcher and passes ``device_ids`` to
    DistributedDataParallel. On a machine without a GPU the process group is therefore started
    here, with gloo, and the model is wrapped without device ids.

    Args:
        cfg: The config, changed in place.
        launcher: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    Raises:
        ACNNError: If there is no GPU and the launcher is neither ``'none'`` nor ``'pytorch'``, or
            if ``'pytorch'`` is chosen outside torchrun.
    """
    cfg.launcher = launcher
    if launcher == 'pytorch' and 'RANK' not in os.environ:
        raise ACNNError(
            "launcher 'pytorch' needs torchrun: call tools/dist_train.sh or tools/dist_test.sh"
        )
    if launcher == 'none' or torch.cuda.is_available():
        return
    if launcher != 'pytorch':
        raise ACNNError(
            f'launcher {launcher!r} needs a GPU, and torch sees none: without one, use '
            "launcher 'pytorch' (tools/dist_train.sh)"
        )
    if not distributed.is_initialized():
        distributed.init_process_group('gloo')
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
    )

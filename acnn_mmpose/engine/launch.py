"""Distributed start-up where MMEngine's own does not work, without a GPU, and its clean end."""

from __future__ import annotations

import gc
import os
from datetime import timedelta
from typing import Any

import torch
from mmengine.config import Config
from torch import distributed

from ..errors import ACNNError


def set_launcher(cfg: Config, launcher: str, local_rank: int = 0) -> None:
    """Choose how processes find each other: ``'none'``, ``'pytorch'``, ``'slurm'`` or ``'mpi'``.

    MMEngine calls ``torch.cuda.set_device`` for every launcher and passes ``device_ids`` to
    DistributedDataParallel. On a machine without a GPU the process group is therefore started
    here, with gloo, and the model is wrapped without device ids.

    A process that waits for another gives up after ``env_cfg.dist_cfg.timeout`` seconds, on GPUs,
    too; by default after torch's 30 minutes (gloo) or 10 (NCCL, torch >= 2.2). ``local_rank``, the
    number of this machine's GPU, counts where no launcher's environment variable says it.
    """
    cfg.launcher = launcher
    local = os.environ.get('OMPI_COMM_WORLD_LOCAL_RANK', str(local_rank))
    os.environ.setdefault('LOCAL_RANK', local)  # by which MMEngine wraps the model
    timeout = cfg.get('env_cfg', {}).get('dist_cfg', {}).get('timeout')
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
        wait: dict[str, Any] = {} if timeout is None else {'timeout': timedelta(seconds=timeout)}
        distributed.init_process_group('gloo', **wait)
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
    )


def end_process_group() -> None:
    """End this process's part in the process group, if it has one, after all work is done.

    A thread of gloo that lets go of the last exchange's tensors while Python shuts down aborts the
    process: "terminate called without an active exception".
    """
    if distributed.is_initialized():
        gc.collect()  # DistributedDataParallel in a reference cycle would keep the group alive
        distributed.destroy_process_group()

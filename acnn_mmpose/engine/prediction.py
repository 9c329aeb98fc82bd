"""A trained model for prediction, with the checks that a test makes."""

from __future__ import annotations

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import CheckpointLoader
from mmpose.apis import init_model
from mmpose.registry import MODELS

from ..checkpoints.validate import check_checkpoint
from ..errors import explained
from ..models import ACNN


def load_model(cfg: Config, checkpoint: str, device: str = 'cpu') -> ACNN:
    """Build a model and load its weights: MMPose's ``init_model``, which alone checks nothing.

    The device is for example ``'cpu'`` or ``'cuda:0'``.
    """
    check_device(device)
    init_default_scope(cfg.get('default_scope', 'mmpose'))
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    with torch.device('meta'):  # to be compared with, no more
        model = MODELS.build(cfg.model)
    check_checkpoint(model, content, checkpoint, 'test')
    return init_model(cfg, checkpoint, device)


def check_device(device: str) -> None:
    """Refuse a device that this machine does not have."""
    with explained(f'device {device} can not be used', 'use --device cpu'):
        torch.empty(0, device=device)

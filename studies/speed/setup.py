"""What all cases share: the config, the device, the people."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

from acnn_mmpose.engine.prediction import check_device
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models.estimator import PHASES

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.hub import get_config
from mmengine.registry import init_default_scope

from .photos import load_people

MMPOSE = (
    'mmpose::body_2d_keypoint/topdown_heatmap/mpii/td-hm_hourglass52_8xb64-210e_mpii-256x256.py'
)


class Setup(NamedTuple):
    """What the cases share; picklable.

    Attributes:
        cfg: Config of the network, with masks.
        device: Where the networks compute.
        batch_sizes: Images per forward pass.
        people: What a pipeline of MMPose's starts from, per person.
        origin: Where the people come from, in words.
    """

    cfg: Config
    device: str
    batch_sizes: Sequence[int]
    people: list[dict[str, Any]]
    origin: str

    def network(self, name: str) -> Config:
        """Return the config of a network: ``'ACNN'``, ``'hourglass'`` or ``'MMPose'``.

        The hourglass is the same network without masks, as in configs/hourglass.py; that of MMPose
        is its hourglass52, CornerNet's variant.
        """
        if name == 'MMPose':
            return get_config(MMPOSE)
        cfg = copy.deepcopy(self.cfg)
        if name == 'hourglass':
            cfg.model.phase = 'pose'
            cfg.model.backbone.mask_mode = 'ones'
        return cfg

    def batch(self, size: int) -> dict[str, Any]:
        """Return a batch as the config's data loader gives it, the same in every call."""
        np.random.seed(0)
        pipeline = Compose(self.cfg.train_dataloader.dataset.pipeline)
        people = [self.people[i % len(self.people)] for i in range(size)]
        return pseudo_collate([pipeline(copy.deepcopy(person)) for person in people])


def make_setup(cfg: Config, device: str, batch_sizes: Sequence[int], folder: str) -> Setup:
    """Check the options and find people.

    Args:
        cfg: Config of the network, with masks.
        device: Where the networks compute.
        batch_sizes: Images per forward pass.
        folder: An empty folder that lives as long as the setup.

    Raises:
        ACNNError: If there is no such device, a batch is empty, or the network has no masks.
    """
    check_device(device)
    if min(batch_sizes) < 1:
        raise ACNNError(f'a batch needs at least 1 image, not {min(batch_sizes)}')
    phase = PHASES.get(cfg.model.get('phase'))
    if phase is None or not (phase.trains_pose and phase.trains_attention):
        raise ACNNError(
            f'{cfg.filename} does not train pose and attention together: give the config of phase '
            '3, such as configs/acnn_phase3.py'
        )
    init_default_scope('mmpose')
    return Setup(cfg, device, batch_sizes, *load_people(cfg, folder))

"""What MMPose's MPII pipeline lacks."""

from __future__ import annotations

import random

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ZeroBasedKeypoints(BaseTransform):
    """Shift MPII's 1-based joints to 0-based pixels; for training pipelines only.

    :class:`MpiiDataset` shifts the person's center but not the joints, while
    :class:`MpiiPCKAccuracy` adds 1 to predictions. A network that is trained on the joints as they
    come is therefore off by one pixel in x and y. Validation must see the joints as they come.

    Required and modified key: ``keypoints`` (1, K, 2), float, pixels.
    """

    def transform(self, results: dict) -> dict:
        """Subtract 1 from x and y of every joint."""
        results['keypoints'] = results['keypoints'] - 1
        return results


@TRANSFORMS.register_module()
class SeedSample(BaseTransform):
    """Make a sample's augmentation a function of seed, epoch and person.

    First in a training pipeline, it seeds the random numbers that MMPose's transforms draw from,
    whatever worker process the sample is made in and whatever that has made before. Until
    :meth:`start_epoch` is called it does nothing.

    Required key: ``id``, the person's place in the annotation file.
    """

    def __init__(self) -> None:
        # shared memory: persistent workers see what the main process sets
        self._seed_and_epoch = torch.full((2,), -1, dtype=torch.int64).share_memory_()

    def start_epoch(self, seed: int, epoch: int) -> None:
        """Set the run's seed and the epoch, counted from 0."""
        self._seed_and_epoch.copy_(torch.tensor([seed, epoch]))

    def transform(self, results: dict) -> dict:
        """Seed numpy's and Python's global generators."""
        seed, epoch = self._seed_and_epoch.tolist()
        if epoch >= 0:
            state = np.random.SeedSequence([seed, epoch, results['id']]).generate_state(1)[0]
            np.random.seed(state)
            random.seed(int(state))
        return results

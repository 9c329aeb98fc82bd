"""Data pipelines: from an annotated photograph to a training sample."""

from __future__ import annotations

import copy
import time
from typing import Any

import cv2
import numpy as np
from mmengine.dataset import Compose

from .setup import Setup


class TimedPipeline:
    """Makes training samples of all people, and times every transform.

    It computes in one thread, as each worker of the data loader does.

    Args:
        transforms: The pipeline's config.
        people: What it starts from.

    Attributes:
        parts: Per transform the seconds of each call.
    """

    def __init__(self, transforms: list[dict], people: list[dict[str, Any]]) -> None:
        self._transforms = Compose(transforms).transforms
        self._people = people
        self.parts: dict[str, list[float]] = {}

    def __call__(self) -> None:
        """Make one sample of each person, with the same random numbers in every call."""
        threads = cv2.getNumThreads()
        cv2.setNumThreads(0)
        for i, person in enumerate(self._people):
            np.random.seed(i)
            results = copy.deepcopy(person)
            for transform in self._transforms:
                start = time.perf_counter()
                results = transform(results)
                seconds = time.perf_counter() - start
                self.parts.setdefault(type(transform).__name__, []).append(seconds)
        cv2.setNumThreads(threads)


def configured_pipeline(setup: Setup) -> TimedPipeline:
    """Prepare the pipeline that the config trains with."""
    return TimedPipeline(setup.cfg.train_dataloader.dataset.pipeline, setup.people)


def stock_pipeline(setup: Setup) -> TimedPipeline:
    """Prepare MMPose's own transforms with the same augmentation."""
    codec = setup.cfg.model.head.decoder
    transforms = [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale'),
        dict(type='RandomFlip', direction='horizontal'),
        dict(type='RandomBBoxTransform', shift_prob=0, scale_factor=(0.75, 1.25), rotate_factor=30),
        dict(type='TopdownAffine', input_size=codec.input_size),
        dict(type='GenerateTarget', encoder=codec),
        dict(type='PackPoseInputs'),
    ]
    return TimedPipeline(transforms, setup.people)

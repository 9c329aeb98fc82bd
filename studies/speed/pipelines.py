"""Data pipelines: from an annotated photograph to a training sample."""

from __future__ import annotations

import copy
import tempfile
import time
import weakref
from typing import Any

from acnn_mmpose.datasets.crop_cache import write_crops

import cv2
import numpy as np
from mmengine.dataset import Compose
from torch.utils.data import DataLoader, Dataset

from .setup import Setup


class TimedPipeline:
    """Makes training samples of all people in a worker of the data loader, and times them.

    Args:
        transforms: The pipeline's config.
        people: What it starts from.

    Attributes:
        parts: Per transform the seconds of each call.
    """

    def __init__(self, transforms: list[dict], people: list[dict[str, Any]]) -> None:
        self.parts: dict[str, list[float]] = {}
        self._worker: DataLoader = DataLoader(
            _SampleTimes(transforms, people),
            batch_size=None,
            num_workers=1,
            worker_init_fn=_use_one_thread,
            persistent_workers=True,
            multiprocessing_context='spawn',  # with memory as no training has set it
        )

    def __call__(self) -> None:
        """Make one sample of each person; the n-th call draws the same for every pipeline."""
        for times in self._worker:
            for name, seconds in times.items():
                self.parts.setdefault(name, []).append(seconds)


class _SampleTimes(Dataset):
    """A data set of how long every transform takes per person, in seconds."""

    def __init__(self, transforms: list[dict], people: list[dict[str, Any]]) -> None:
        self._transforms = Compose(transforms).transforms
        self._people = people
        self._made = 0

    def __len__(self) -> int:
        return len(self._people)

    def __getitem__(self, index: int) -> dict[str, float]:
        self._made += 1
        np.random.seed(self._made)
        results = copy.deepcopy(self._people[index])
        times = {}
        for transform in self._transforms:
            start = time.perf_counter()
            results = transform(results)
            times[type(transform).__name__] = time.perf_counter() - start
        return times


def _use_one_thread(_: int) -> None:
    """Limit OpenCV as MMEngine's Runner does; the data loader limits torch."""
    cv2.setNumThreads(0)


def configured_pipeline(setup: Setup) -> TimedPipeline:
    """Prepare the pipeline that the config trains with."""
    return TimedPipeline(setup.cfg.train_dataloader.dataset.pipeline, setup.people)


def cached_pipeline(setup: Setup) -> TimedPipeline:
    """Prepare it with people from files that hold nothing else."""
    folder = tempfile.TemporaryDirectory()
    write_crops(setup.people, folder.name)
    pipeline = copy.deepcopy(setup.cfg.train_dataloader.dataset.pipeline)
    (load,) = (step for step in pipeline if step.type == 'LoadReadableImage')
    load.crop_cache = folder.name
    timed = TimedPipeline(pipeline, setup.people)
    weakref.finalize(timed, folder.cleanup)
    return timed


def stock_pipeline(setup: Setup) -> TimedPipeline:
    """Prepare MMPose's own transforms with the same augmentation."""
    codec = setup.cfg.model.head.decoder
    transforms: list[dict] = [
        dict(type='LoadImage'),
        dict(type='GetBBoxCenterScale'),
        dict(type='RandomFlip', direction='horizontal'),
        dict(type='RandomBBoxTransform', shift_prob=0, scale_factor=(0.75, 1.25), rotate_factor=30),
        dict(type='TopdownAffine', input_size=codec.input_size),
        dict(type='GenerateTarget', encoder=codec),
        dict(type='PackPoseInputs'),
    ]
    return TimedPipeline(transforms, setup.people)

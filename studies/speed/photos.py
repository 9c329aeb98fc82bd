"""People to measure with: those of the config's data, else generated photographs."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

from acnn_mmpose.engine import check_data
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.files import write_picture, write_whole

import cv2
import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

WIDTH, HEIGHT = 1280, 720  # most photographs of MPII


def load_people(cfg: Config, folder: str, count: int = 8) -> tuple[list[dict[str, Any]], str]:
    """Find the first people of the training set, or make some up.

    Args:
        cfg: Config of a network on MPII.
        folder: Where to write photographs if the config's data is not there.
        count: How many people.

    Returns:
        What a pipeline of MMPose's starts from, per person; and where it comes from, in words.
    """
    dataset = copy.deepcopy(cfg.train_dataloader.dataset)
    origin = f'of {dataset.get("data_root")}'
    try:
        check_data(cfg, 'train')
    except ACNNError:
        _write_photographs(Path(folder), count)
        dataset.update(
            data_root=folder, ann_file='people.json', data_prefix=dict(img=''), pipeline=[]
        )
        origin = f'generated, {WIDTH}x{HEIGHT} JPEG'
    dataset.pipeline = []
    people = DATASETS.build(dataset)
    return [people.get_data_info(i) for i in range(min(count, len(people)))], origin


def _write_photographs(folder: Path, count: int) -> None:
    """Write pictures with structure at every scale, which JPEG has to work for as in photographs.

    ``people.json`` beside them has the layout of MPII's annotations in MMPose.
    """
    rng = np.random.default_rng(0)
    annotations = []
    for i in range(count):
        picture = np.full((HEIGHT, WIDTH, 3), 128.0)
        for side in (4, 16, 64, 256):
            cells = rng.normal(0, 100 / side**0.4, (side * HEIGHT // WIDTH, side, 3))
            picture += cv2.resize(cells, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        name = f'{i}.jpg'
        write_picture(folder / name, picture.clip(0, 255).astype(np.uint8))
        center = rng.uniform((400, 300), (880, 420))
        joints = center + rng.normal(0, 80, (16, 2))
        annotations.append(
            dict(
                image=name,
                center=center.tolist(),
                scale=float(rng.uniform(1.5, 3)),
                joints=joints.tolist(),
                joints_vis=[1] * 16,
            )
        )
    write_whole(folder / 'people.json', json.dumps(annotations))

"""The loop: read, find people, predict, draw, write."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmpose.apis import inference_topdown
from mmpose.structures import PoseDataSample

from ..errors import ACNNError, name_first
from ..files import write_whole
from ..models import ACNN
from ..progress import show_progress
from ..visualization import AttentionVisualizer
from .shrink import shrink_to_draw
from .sources import Frame, Source
from .to_json import describe_samples
from .writers import open_writer


class Summary(NamedTuple):
    """What came of a source."""

    images: int  # that were predicted
    people: int  # in them
    unreadable: dict[str, str]  # what could not be read, by the names of files, and why


def run_inference(
    model: ACNN,
    source: Source,
    visualizer: AttentionVisualizer,
    out_dir: str,
    find_boxes: Callable[[Frame], np.ndarray] | None = None,
    with_masks: bool = False,
) -> Summary:
    """Predict all images of a source; write pictures or a video, and ``predictions.json``.

    An interrupt (Ctrl-C), the way to end a webcam, keeps what has been done.

    Args:
        model: From MMPose's ``init_model``.
        source: The images.
        visualizer: Its mode says what the pictures show.
        out_dir: The folder to write to.
        find_boxes: Gives the people's boxes (n, 4) of an image; by default the whole image is one.
        with_masks: Write masks into the json.

    Raises:
        ACNNError: If no image could be read, a box lies outside its image, or what is made can't
            be written.
    """
    model.test_cfg = {
        **model.test_cfg,
        'output_attention': True,
        'output_stages': visualizer.mode == 'story',
        'output_heatmaps': visualizer.mode in ('heatmap', 'story'),
    }
    visualizer.set_dataset_meta(model.dataset_meta)
    writer = open_writer(source, out_dir)
    images: list[dict[str, Any]] = []
    unreadable: dict[str, str] = {}
    try:
        for frame in show_progress(source.frames, 'images', total=source.count, unit='img'):
            if frame.problem:
                unreadable[frame.name] = frame.problem
                continue
            samples = _predict(model, frame, find_boxes)
            picture = frame.image[..., ::-1]
            if samples:
                picture = visualizer.draw(*shrink_to_draw(frame.image, samples))
            writer.write(frame, picture)
            people = describe_samples(samples, with_masks)
            images.append({'image': frame.name, 'frame': frame.index, 'people': people})
    except KeyboardInterrupt:
        pass
    finally:
        content = json.dumps({'images': images, 'unreadable': list(unreadable)})
        try:
            write_whole(Path(out_dir, 'predictions.json'), content)
        finally:
            writer.close()
    if unreadable and not images:
        raise ACNNError(f'no image could be read: {name_first(list(unreadable.values()))}')
    return Summary(len(images), sum(len(image['people']) for image in images), unreadable)


def _predict(
    model: ACNN, frame: Frame, find_boxes: Callable[[Frame], np.ndarray] | None
) -> list[PoseDataSample]:
    """Predict the people of an image, one per sample."""
    boxes = None if find_boxes is None else find_boxes(frame)
    if boxes is not None and not len(boxes):
        return []
    try:
        return inference_topdown(model, frame.image, boxes)
    except ACNNError as error:
        raise ACNNError(f'{frame.name}: {error}') from error

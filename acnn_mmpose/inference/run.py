"""The loop: read, find people, predict, draw, write."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmpose.apis import inference_topdown
from mmpose.structures import PoseDataSample, merge_data_samples

from ..errors import ACNNError, name_first
from ..files import write_whole
from ..models import ACNN
from ..progress import show_progress
from ..visualization import AttentionVisualizer
from .shrink import shrink_to_draw
from .sources import Frame, Source
from .to_json import describe_people
from .writers import open_writer


class Summary(NamedTuple):
    """What came of a source.

    Attributes:
        images: How many images were predicted.
        people: How many people in them.
        unreadable: What could not be read, by the names of files, and why.
    """

    images: int
    people: int
    unreadable: dict[str, str]


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
            if frame.image is None:
                unreadable[frame.name] = frame.problem
                continue
            samples = _predict(model, frame, find_boxes)
            writer.write(frame, _draw(visualizer, frame.image, samples))
            people = [
                person
                for sample in samples
                for person in describe_people(sample.pred_instances, with_masks)
            ]
            images.append({'image': frame.name, 'frame': frame.index, 'people': people})
    except KeyboardInterrupt:
        pass
    finally:
        writer.close()
        content = json.dumps({'images': images, 'unreadable': list(unreadable)})
        write_whole(Path(out_dir, 'predictions.json'), content)
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


def _draw(
    visualizer: AttentionVisualizer, image: np.ndarray, samples: Sequence[PoseDataSample]
) -> np.ndarray:
    """Draw the people of an image (H, W, 3), BGR; return RGB, smaller if the image is huge."""
    image, drawn = shrink_to_draw(image, samples)
    picture = np.ascontiguousarray(image[..., ::-1])
    return visualizer.draw(picture, merge_data_samples(drawn)) if drawn else picture

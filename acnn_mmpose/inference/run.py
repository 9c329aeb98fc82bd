"""The loop: read, find people, predict, draw, write."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from mmpose.apis import inference_topdown
from mmpose.structures import PoseDataSample, merge_data_samples
from tqdm import tqdm

from ..errors import ACNNError
from ..models import ACNN
from ..visualization import AttentionVisualizer
from .people_json import describe_people
from .sources import Frame, Source
from .writers import open_writer


class Summary(NamedTuple):
    """What came of a source.

    Attributes:
        images: How many images were predicted.
        people: How many people in them.
        unreadable: Names of files that could not be read.
    """

    images: int
    people: int
    unreadable: list[str]


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
        ACNNError: If no image could be read.
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
    unreadable: list[str] = []
    try:
        for frame in tqdm(source.frames, total=source.count, unit='img'):
            if frame.image is None:
                unreadable.append(frame.name)
                continue
            sample = _predict(model, frame, find_boxes)
            picture = rgb = np.ascontiguousarray(frame.image[..., ::-1])
            people = []
            if sample is not None:
                picture = visualizer.draw(rgb, sample)
                people = describe_people(sample.pred_instances, with_masks)
            writer.write(frame, picture)
            images.append({'image': frame.name, 'frame': frame.index, 'people': people})
    except KeyboardInterrupt:
        pass
    finally:
        writer.close()
        content = {'images': images, 'unreadable': unreadable}
        Path(out_dir, 'predictions.json').write_text(json.dumps(content), encoding='utf-8')
    if unreadable and not images:
        raise ACNNError(f'no image could be read: {", ".join(unreadable)}')
    return Summary(len(images), sum(len(image['people']) for image in images), unreadable)


def _predict(
    model: ACNN, frame: Frame, find_boxes: Callable[[Frame], np.ndarray] | None
) -> PoseDataSample | None:
    """Predict the people of an image; None if there are none."""
    boxes = None if find_boxes is None else find_boxes(frame)
    if boxes is not None and not len(boxes):
        return None
    return merge_data_samples(inference_topdown(model, frame.image, boxes))

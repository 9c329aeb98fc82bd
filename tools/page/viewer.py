"""What the page of ``tools/app.py`` shows: a photograph and boxes to pictures and json."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from acnn_mmpose.datasets import UnreadableImageError, read_image
from acnn_mmpose.errors import ACNNError
from acnn_mmpose.image_check import read_header
from acnn_mmpose.inference import Frame
from acnn_mmpose.inference.shrink import shrink_to_draw
from acnn_mmpose.inference.to_json import describe_samples
from acnn_mmpose.input_checks import describe_box_problem, spell_box
from acnn_mmpose.models import ACNN
from acnn_mmpose.visualization import AttentionVisualizer, CropBox
from acnn_mmpose.visualization.paint import CROP_COLOUR, outline_crops
from acnn_mmpose.visualization.people import ALL_OUTPUTS

import cv2
import numpy as np
from mmpose.apis import inference_topdown

MAX_PEOPLE = 10  # in a photograph: their full-size heatmaps take a gigabyte
MAX_PIXELS = 50_000_000  # of a photograph: 150 MB
MAX_DRAWN_PIXELS = 1_000_000  # about what a browser shows


class View(NamedTuple):
    """What is shown of a photograph; pictures are (h, w, 3), RGB, uint8."""

    pose: np.ndarray
    masks: np.ndarray  # the photograph, what each mask discards of it, and the poses, in a row
    heatmaps: np.ndarray  # one per joint
    stages: list[np.ndarray]  # per stage what it gets to see and predicts
    json: str  # what `tools/infer.py --masks` writes of the photograph


class Viewer:
    """Finds, predicts and draws people, in one photograph at a time whoever asks.

    Args:
        model: From :func:`~acnn_mmpose.engine.load_model`.
        find_boxes: A detector: gives the people's boxes (n, 4) of an image.
    """

    def __init__(
        self, model: ACNN, find_boxes: Callable[[Frame], np.ndarray] | None = None
    ) -> None:
        model.test_cfg = {**model.test_cfg, **ALL_OUTPUTS}
        self.model, self.find_boxes = model, find_boxes
        self.num_stages = model.head.num_stages
        self.visualizer = AttentionVisualizer()
        self.visualizer.set_dataset_meta(model.dataset_meta)
        self.lock = threading.Lock()

    def detect(self, photo: Frame) -> np.ndarray:
        """Find people; returns boxes (n, 4), at least one."""
        assert self.find_boxes is not None, 'the page offers this with a detector only'
        with self.lock:
            boxes = self.find_boxes(photo)
        if not len(boxes):
            raise ACNNError('no people were detected: click a box around a person')
        return boxes

    def predict(self, photo: Frame, boxes: np.ndarray) -> View:
        """Predict the people in boxes (n, 4); if there is none, all of the photograph is one.

        Raises:
            ACNNError: If a box can hold nobody, or there are too many.
        """
        if len(boxes) > MAX_PEOPLE:
            raise ACNNError(f'{len(boxes)} boxes are too many: leave at most {MAX_PEOPLE}')
        with self.lock:
            samples = inference_topdown(self.model, photo.image, boxes if len(boxes) else None)
            picture, drawn = shrink_to_draw(photo.image, samples, MAX_DRAWN_PIXELS)
            people, draw = drawn.pred_instances, self.visualizer
            described = describe_samples(samples, with_masks=True)
            return View(
                draw.draw_pose(picture, people),
                draw.draw_attention(picture, people),
                draw.draw_heatmaps(picture, drawn.pred_fields.heatmaps),
                [draw.draw_stage(picture, people, 1 + i) for i in range(self.num_stages)],
                json.dumps({'image': photo.name, 'people': described}),
            )


def read_photo(path: str) -> Frame:
    """Read a photograph; what is wrong with it is said without its folder."""
    name, size = Path(path).name, read_header(Path(path))
    if not isinstance(size, str) and size[0] * size[1] > MAX_PIXELS:
        raise ACNNError(f'{name} has {size[0]}x{size[1]} px: shrink it, {MAX_PIXELS:,} are allowed')
    try:
        return Frame(name, None, read_image(path))
    except UnreadableImageError as error:
        raise ACNNError(f'{error}'.replace(path, name)) from error


def read_boxes(text: str) -> np.ndarray:
    """Read boxes from lines ``x1, y1, x2, y2``; returns (n, 4)."""
    boxes = []
    for line in filter(str.strip, text.splitlines()):
        try:
            x1, y1, x2, y2 = map(float, line.replace(',', ' ').split())
        except ValueError as error:
            raise ACNNError(f'{line[:50]!r} is no box: write x1, y1, x2, y2 in pixels') from error
        boxes.append((x1, y1, x2, y2))
    return np.array(boxes, np.float64).reshape(-1, 4)


def write_boxes(boxes: np.ndarray) -> str:
    """Write boxes (n, 4) as :func:`read_boxes` reads them, in whole pixels."""
    return '\n'.join(spell_box(box)[1:-1] for box in np.round(boxes))


def mark_photo(
    photo: Frame, boxes: np.ndarray, corner: Sequence[float] | None = None
) -> np.ndarray:
    """Draw boxes (n, 4), and the first corner (x, y) of one more; returns (H, W, 3), RGB."""
    usable = boxes[[not describe_box_problem(box) for box in boxes]]
    crops = [CropBox((box[:2] + box[2:]) / 2, box[2:] - box[:2]) for box in usable]
    picture = outline_crops(photo.image[..., ::-1], crops)
    if corner is not None:
        size = max(picture.shape) // 20
        x, y = map(round, corner)
        cv2.drawMarker(picture, (x, y), CROP_COLOUR, cv2.MARKER_CROSS, size, 1 + size // 12)
    return picture

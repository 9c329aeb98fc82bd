"""Where people are: boxes from a json file or from a detector."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmpose.evaluation.functional import nms

from ..errors import ACNNError, explained, import_package
from ..files import read_json
from ..input_checks import describe_box_problem
from .sources import Frame, Source

MIN_SCORE, MAX_OVERLAP = 0.3, 0.3  # as MMPoseInferencer's


class FileBoxes:
    """Boxes from a json file: ``{"name.jpg": [[x1, y1, x2, y2], ...], ...}``, in pixels.

    The boxes of a video's name hold for all of its frames.
    """

    def __init__(self, path: str) -> None:
        remedy = 'it must hold {"name.jpg": [[x1, y1, x2, y2], ...], ...}'
        content = read_json(path, remedy)
        with explained(f'{path} can not be read as boxes', remedy):
            self.boxes = {
                name: np.array(boxes, np.float32).reshape(len(boxes), 4)
                for name, boxes in content.items()
            }
        for name, boxes in self.boxes.items():
            for index, box in enumerate(boxes):
                problem = describe_box_problem(box)
                if problem:
                    raise ACNNError(f'box {index} of {name} in {path} {problem}')

    def __call__(self, frame: Frame) -> np.ndarray:
        """Return the boxes (n, 4) of an image; none if the file does not name it."""
        return self.boxes.get(frame.name, np.zeros((0, 4), np.float32))

    def missing_images(self, source: Source) -> list[str]:
        """Name the images that have boxes but are not in the source; none for a webcam."""
        there = {file.name for file in source.files} or self.boxes.keys()
        return sorted(self.boxes.keys() - there)


class DetectorBoxes:
    """Boxes of people, class 0 of COCO, from an MMDetection model on a device."""

    def __init__(self, config: str, checkpoint: str, device: str) -> None:
        for kind, path in (('config', config), ('checkpoint', checkpoint)):
            if not Path(path).is_file():
                raise ACNNError(f'detector {kind} {path} does not exist')
        inferencer = import_package('mmdet.apis', 'a detector').DetInferencer  # slow to import
        with explained(f'{config} and {checkpoint} make no detector', "give two of MMDetection's"):
            self.detector = inferencer(config, checkpoint, device, 'mmdet', show_progress=False)

    def __call__(self, frame: Frame) -> np.ndarray:
        """Return the boxes (n, 4) of an image, overlapping ones suppressed as MMPose does.

        Boxes that can hold nobody are left out: a detector that pads images may find some there.
        """
        result = self.detector(frame.image, return_datasamples=True)['predictions'][0]
        found = result.pred_instances.cpu().numpy()
        found = found[(found.labels == 0) & (found.scores > MIN_SCORE)]
        shape = frame.image.shape[:2]
        fits = [not describe_box_problem(box, shape) for box in found.bboxes]
        found = found[np.array(fits, bool)]
        scored = np.concatenate([found.bboxes, found.scores[:, None]], axis=1)
        return scored[nms(scored, MAX_OVERLAP), :4]

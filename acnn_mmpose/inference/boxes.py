"""Where people are: boxes from a json file or from a detector."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from mmpose.evaluation.functional import nms

from ..errors import ACNNError
from ..input_checks import describe_box_problem
from .sources import Frame, Source


class FileBoxes:
    """Boxes from a json file: ``{"name.jpg": [[x1, y1, x2, y2], ...], ...}``, in pixels.

    The boxes of a video's name hold for all of its frames.

    Args:
        path: The json file.

    Raises:
        ACNNError: If the file does not exist or looks otherwise, or a box can hold nobody.
    """

    def __init__(self, path: str) -> None:
        if not Path(path).is_file():
            raise ACNNError(f'box file {path} does not exist')
        try:
            content = json.loads(Path(path).read_text(encoding='utf-8'))
            self.boxes = {
                name: np.array(boxes, np.float32).reshape(len(boxes), 4)
                for name, boxes in content.items()
            }
        except Exception as error:  # values of any type and size
            raise ACNNError(
                f'box file {path} must hold {{"name.jpg": [[x1, y1, x2, y2], ...], ...}}'
            ) from error
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
        return (
            sorted(set(self.boxes) - {file.name for file in source.files}) if source.files else []
        )


class DetectorBoxes:
    """Boxes of people from an MMDetection model.

    Args:
        config: Its config file.
        checkpoint: Its weights.
        device: For example ``'cuda:0'``.
        score: Boxes of a lower score are left out.
        category: Which class is a person; 0 in COCO.
    """

    def __init__(
        self, config: str, checkpoint: str, device: str, score: float = 0.3, category: int = 0
    ) -> None:
        for kind, path in (('config', config), ('checkpoint', checkpoint)):
            if not Path(path).is_file():
                raise ACNNError(f'detector {kind} {path} does not exist')
        from mmdet.apis import DetInferencer  # slow to import, and seldom needed

        self.detector = DetInferencer(config, checkpoint, device, 'mmdet', show_progress=False)
        self.score, self.category = score, category

    def __call__(self, frame: Frame) -> np.ndarray:
        """Return the boxes (n, 4) of an image, overlapping ones suppressed as MMPose does.

        Boxes that can hold nobody are left out: a detector that pads images may find some there.
        """
        assert frame.image is not None, 'only what can be read is predicted'
        result = self.detector(frame.image, return_datasamples=True)['predictions'][0]
        found = result.pred_instances.cpu().numpy()
        found = found[(found.labels == self.category) & (found.scores > self.score)]
        shape = frame.image.shape[:2]
        found = found[
            np.array([not describe_box_problem(box, shape) for box in found.bboxes], bool)
        ]
        scored = np.concatenate([found.bboxes, found.scores[:, None]], axis=1)
        return scored[nms(scored, 0.3), :4]

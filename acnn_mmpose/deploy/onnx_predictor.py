"""Predicts with an exported network; needs numpy, OpenCV and ONNX Runtime, and nothing else.

Shape legend: n people, K joints, S stages, h x w heatmap.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ..errors import ACNNError, import_package
from .onnx_crop import (
    check_boxes,
    check_image,
    cut_crops,
    decode_heatmaps,
    find_crop_boxes,
    merge_mirrored,
    to_image,
)

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

KEY = 'acnn_mmpose'  # of the .onnx file's metadata
FORMAT = 1  # raise it with every change that an older predictor would misread
CPU = ('CPUExecutionProvider',)
MAX_BATCH = 16  # crops that run at once: more need more memory and are not faster


@dataclass(frozen=True)
class ModelCard:
    """What an exported network says about itself, json under the metadata's key ``acnn_mmpose``."""

    keypoint_names: list[str]  # K
    flip_indices: list[int]  # K, for each joint the one that a mirror makes of it
    input_size: list[int]  # width and height of a crop, in pixels
    padding: float  # how much larger than its box a person's crop is
    flip_test: bool  # whether the config predicts the mirrored crop, too
    shift_heatmap: bool  # whether it then moves the mirrored heatmaps right by one cell
    sigma: float  # of the heatmaps' Gaussians, in cells; for information, as all below
    phase: str
    mask_mode: str
    version: str  # of the package that exported the network

    def to_json(self) -> str:
        """Write as json."""
        return json.dumps({'format': FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str | None, session: InferenceSession, file: str) -> ModelCard:
        """Read what :meth:`to_json` wrote into the file of a network."""
        try:
            content = json.loads(text or '')
            if content.pop('format') == FORMAT and (card := cls(**content))._fits(session):
                return card
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            pass
        raise ACNNError(
            f'{file} does not say how to use it in a way that this version of acnn_mmpose '
            'understands: export the network with its tools/export_onnx.py'
        )

    def _fits(self, session: InferenceSession) -> bool:
        """Whether all that a prediction depends on makes sense of a network."""
        (images,), (heatmaps, *_) = session.get_inputs(), session.get_outputs()
        joints, names, mirrored = heatmaps.shape[1], self.keypoint_names, self.flip_indices
        return (
            (names, len(names)) == ([*map(str, names)], joints)
            and [mirrored[joint] for joint in mirrored] == list(range(joints))
            and str(self.input_size) == str(images.shape[2:0:-1])
            and 0 < self.padding < 100
            and type(self.flip_test) is type(self.shift_heatmap) is bool
        )


class Prediction(NamedTuple):
    """What was predicted for the people of an image, all float32.

    Cell (column i, row j) of a mask lies at ``(x1 + i / w * (x2 - x1), y1 + j / h * (y2 - y1))``.
    """

    keypoints: np.ndarray  # (n, K, 2), x and y in pixels of the image
    scores: np.ndarray  # (n, K), the maxima of the heatmaps
    masks: np.ndarray | None  # M(1) to M(S-1), (n, S - 1, h, w) in [0, 1], if exported
    crops: np.ndarray  # what the network saw, (n, 4): x1, y1, x2, y2 in pixels of the image


class Predictor:
    """Predicts the people of an image as MMPose's ``inference_topdown`` does.

    Args:
        model: The .onnx file that ``tools/export_onnx.py`` wrote.
        flip_test: Predict mirrored crops, too, and average; None: as in the network's config.
        providers: What ONNX Runtime runs on, in order of preference.
        options: ONNX Runtime's, for example ``intra_op_num_threads``.

    Attributes:
        card: What the file says about the network, ``card.keypoint_names`` for example.

    Raises:
        ACNNError: If the file does not exist, or is not an exported network.
    """

    def __init__(
        self,
        model: str | Path,
        flip_test: bool | None = None,
        providers: Sequence[str] = CPU,
        options: SessionOptions | None = None,
    ) -> None:
        self.session = start_session(model, providers, options)
        metadata = self.session.get_modelmeta().custom_metadata_map
        self.card = ModelCard.from_json(metadata.get(KEY), self.session, str(model))
        self.flip_test = self.card.flip_test if flip_test is None else flip_test

    def __call__(self, image: np.ndarray, boxes: Sequence | np.ndarray | None = None) -> Prediction:
        """Predict the people of an image.

        Args:
            image: (H, W, 3), BGR, uint8, as ``cv2.imread`` returns it; grey, with alpha or with 16
                bits it is converted.
            boxes: (n, 4), x1, y1, x2, y2 in pixels; n may be 0. None: the whole image is one.
        """
        image = check_image(image)
        size = self.card.input_size
        crop_boxes = find_crop_boxes(check_boxes(boxes, image.shape), size, self.card.padding)
        heatmaps, masks = self._run(cut_crops(image, crop_boxes, size))
        points, scores = decode_heatmaps(heatmaps, size)
        corners = [crop_boxes.centers + half * crop_boxes.sizes for half in (-0.5, 0.5)]
        return Prediction(
            keypoints=to_image(points, crop_boxes, size),
            scores=scores,
            masks=masks,
            crops=np.concatenate(corners, axis=1, dtype=np.float32, casting='same_kind'),
        )

    def _run(self, crops: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Compute heatmaps (n, K, h, w), and masks if there are any, of crops (n, H, W, 3)."""
        n = len(crops)
        if self.flip_test:
            crops = np.concatenate([crops, crops[:, :, ::-1]])
        heatmaps, *masks = self._run_batches(crops)
        if self.flip_test:
            heatmaps = merge_mirrored(
                heatmaps[:n], heatmaps[n:], self.card.flip_indices, self.card.shift_heatmap
            )
        return heatmaps, masks[0][:n] if masks else None

    def _run_batches(self, crops: np.ndarray) -> list[np.ndarray]:
        """Compute the network's outputs for any number of crops."""
        outputs = self.session.get_outputs()
        none = [np.zeros((0, *output.shape[1:]), np.float32) for output in outputs]
        batches = [
            self.session.run(None, {'images': crops[i : i + MAX_BATCH]})
            for i in range(0, len(crops), MAX_BATCH)
        ]
        return [np.concatenate(parts) for parts in zip(none, *batches)]


def start_session(
    model: str | Path | bytes,
    providers: Sequence[str] = CPU,
    options: SessionOptions | None = None,
) -> InferenceSession:
    """Load a network, a file or its content, into ONNX Runtime; see :class:`Predictor`."""
    runtime = import_package('onnxruntime', 'an exported network')
    name = 'the exported network' if isinstance(model, bytes) else str(model)
    if not isinstance(model, bytes) and not Path(model).is_file():
        raise ACNNError(f'ONNX file {name} does not exist')
    available = runtime.get_available_providers()
    missing = [provider for provider in providers if provider not in available]
    if missing:
        raise ACNNError(
            f'ONNX Runtime has no {missing[0]} here: choose of {", ".join(available)}, or install '
            'the build of onnxruntime that has it'
        )
    content = model if isinstance(model, bytes) else str(model)
    try:
        return runtime.InferenceSession(content, options, providers=list(providers))
    except Exception as error:  # its exceptions have no common base
        raise ACNNError(
            f'{name} is not a network that ONNX Runtime {runtime.__version__} can run: '
            f'{str(error).splitlines()[0]}'
        ) from error

"""What an exported network says about itself, so that a predictor needs the one file only."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..errors import ACNNError
from ..input_checks import MAX_SIDE

KEY = 'acnn_mmpose'  # of the .onnx file's metadata
FORMAT = 1  # raise it with every change that an older predictor would misread


@dataclass(frozen=True)
class ModelCard:
    """Metadata of an exported network, json under the key ``acnn_mmpose`` of the .onnx file.

    Attributes:
        keypoint_names: K names.
        flip_indices: For each joint the one that a mirror makes of it, K.
        input_size: Width and height of a crop, in pixels.
        padding: How much larger than its box a person's crop is.
        flip_test: Whether the config predicts the mirrored crop, too.
        shift_heatmap: Whether it then moves the mirrored heatmaps right by one cell.
        sigma: Of the heatmaps' Gaussians, in cells; a predictor does not need it.
        phase: The estimator's phase; for information, as all below.
        mask_mode: The backbone's.
        version: Of the package that exported the network.
    """

    keypoint_names: list[str]
    flip_indices: list[int]
    input_size: list[int]
    padding: float
    flip_test: bool
    shift_heatmap: bool
    sigma: float
    phase: str
    mask_mode: str
    version: str

    def to_json(self) -> str:
        """Write as json."""
        return json.dumps({'format': FORMAT, **asdict(self)})

    @classmethod
    def from_json(cls, text: str | None, file: str) -> ModelCard:
        """Read what :meth:`to_json` wrote.

        Args:
            text: The json; None if the file has none.
            file: Its name, for messages.

        Raises:
            ACNNError: If the network was not exported by this package, or by a newer one.
        """
        if text is None:
            raise ACNNError(
                f'{file} does not say how to use it: export the network with tools/export_onnx.py'
            )
        try:
            content = json.loads(text)
            file_format = content.pop('format')
            card = cls(**content) if file_format == FORMAT else None
            problem = card._describe_problem() if card else ''
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            problem = repr(error)
        if problem:
            raise ACNNError(
                f'the metadata of {file} are damaged ({problem}): export the network again'
            )
        if card is None:
            raise ACNNError(
                f'{file} has metadata of format {file_format}, but this version of acnn_mmpose '
                f'reads format {FORMAT}: use the version that exported it, or export it again'
            )
        return card

    def check_network(self, inputs: Sequence[Any], outputs: Sequence[Any], file: str) -> None:
        """Check that the card is that of a network.

        Args:
            inputs: Shape of the network's images: (n, H, W, 3); what is no number may be any.
            outputs: Shape of its heatmaps: (n, K, h, w).
            file: Its name, for messages.

        Raises:
            ACNNError: If sizes or the number of joints differ.
        """
        (width, height), joints = self.input_size, len(self.keypoint_names)
        if list(inputs[1:3]) != [height, width] or outputs[1] != joints:
            raise ACNNError(
                f'the metadata of {file} are those of another network ({width}x{height} px, '
                f'{joints} joints): export the network again'
            )

    def _describe_problem(self) -> str:
        """Name the first value that makes no sense; empty if all do."""
        joints = range(len(self.keypoint_names))
        mirrored = self.flip_indices
        sound = {
            'keypoint_names': bool(joints) and _are(self.keypoint_names, str),
            'flip_indices': _are(mirrored, int)
            and sorted(mirrored) == list(joints)
            and all(mirrored[mirrored[joint]] == joint for joint in joints),
            'input_size': _are(self.input_size, int)
            and len(self.input_size) == 2
            and all(0 < side <= MAX_SIDE for side in self.input_size),
            'padding': _is_positive(self.padding),
            'sigma': _is_positive(self.sigma),
            'flip_test': isinstance(self.flip_test, bool),
            'shift_heatmap': isinstance(self.shift_heatmap, bool),
            'phase': isinstance(self.phase, str),
            'mask_mode': isinstance(self.mask_mode, str),
            'version': isinstance(self.version, str),
        }
        wrong = [name for name, is_sound in sound.items() if not is_sound]
        return f'{wrong[0]} is {getattr(self, wrong[0])!r:.100}' if wrong else ''


def _are(values: Any, kind: type) -> bool:
    return isinstance(values, list) and all(type(value) is kind for value in values)


def _is_positive(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value < 100

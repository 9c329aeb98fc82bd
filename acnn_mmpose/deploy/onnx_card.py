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
    """Metadata of an exported network, json under the key ``acnn_mmpose`` of the .onnx file."""

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
    def from_json(cls, text: str | None, file: str) -> ModelCard:
        """Read what :meth:`to_json` wrote, or say why the text of a file can't be used."""
        if text is None:
            raise ACNNError(
                f'{file} does not say how to use it: export the network with tools/export_onnx.py'
            )
        problem, card = '', None
        try:
            content = json.loads(text)
            file_format = content.pop('format')
            if file_format == FORMAT:
                card = cls(**content)
                problem = card._describe_problem()
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
        """Check that images (n, H, W, 3) and heatmaps (n, K, h, w) of a file have these shapes."""
        (width, height), joints = self.input_size, len(self.keypoint_names)
        if list(inputs[1:3]) != [height, width] or outputs[1] != joints:
            raise ACNNError(
                f'the metadata of {file} are those of another network ({width}x{height} px, '
                f'{joints} joints): export the network again'
            )

    def _describe_problem(self) -> str:
        """Name the first value that makes no sense; empty if all do."""
        kinds: dict[str, type] = {'bool': bool, 'str': str}
        for name, annotation in self.__annotations__.items():
            value = getattr(self, name)
            if annotation == 'float':
                sound = type(value) in (int, float) and 0 < value < 100
            elif annotation in kinds:
                sound = isinstance(value, kinds[annotation])
            else:
                kind = str if annotation == 'list[str]' else int
                sound = isinstance(value, list) and all(type(each) is kind for each in value)
            if sound and name == 'flip_indices':
                joints = list(range(len(self.keypoint_names)))
                sound = sorted(value) == joints and [value[value[j]] for j in joints] == joints
            if sound and name == 'input_size':
                sound = len(value) == 2 and all(0 < side <= MAX_SIDE for side in value)
            if not sound or value == []:
                return f'{name} is {value!r:.100}'
        return ''

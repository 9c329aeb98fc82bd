"""What an exported network says about itself, so that a predictor needs the one file only."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from ..errors import ACNNError

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
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ACNNError(
                f'the metadata of {file} are damaged: export the network again'
            ) from error
        if card is None:
            raise ACNNError(
                f'{file} has metadata of format {file_format}, but this version of acnn_mmpose '
                f'reads format {FORMAT}: use the version that exported it, or export it again'
            )
        return card

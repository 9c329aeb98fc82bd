"""Writing the keypoints of a test to a file."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

from ..files import write_whole


@METRICS.register_module()
class DumpPredictions(BaseMetric):
    """Writes everybody's keypoints to an .npz file, which ``tools/eval_predictions.py`` reads.

    The file holds ``id`` (N,), the places of N people in the annotation file, ``preds`` (N, K, 2),
    keypoints in pixels that count from 0, and ``scores`` (N, K).

    Args:
        file: The file.
    """

    default_prefix = 'dump'

    def __init__(self, file: str) -> None:
        super().__init__()
        self.file = file

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Keep each person's keypoints."""
        for sample in data_samples:
            people = sample['pred_instances']
            person = sample['id'], people['keypoints'][0], people['keypoint_scores'][0]
            self.results.append(person)

    def compute_metrics(self, results: list[tuple[int, np.ndarray, np.ndarray]]) -> dict:
        """Write the file; there are no metrics.

        Raises:
            ACNNError: If it can't be written.
        """
        stream = io.BytesIO()
        arrays = map(np.stack, zip(*results))
        np.savez(stream, **dict(zip(('id', 'preds', 'scores'), arrays)))
        write_whole(self.file, stream.getvalue())
        return {}

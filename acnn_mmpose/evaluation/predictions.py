"""Files of predictions: a test's written, and those for MPII's validation set scored.

Legend: N people, K = 16 joints.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import METRICS

from ..errors import ACNNError, explained
from ..files import write_whole
from ..mpii.annotations import check_head_boxes, read_annotations
from ..mpii.mat_file import load_mat
from ..mpii.release import NUM_JOINTS
from .metric import table_rows
from .pckh import UNSCORED
from .table import TableRow


@METRICS.register_module()
class DumpPredictions(BaseMetric):
    """Writes everybody's keypoints to an .npz file, which ``tools/eval_predictions.py`` reads.

    The file holds ``id`` (N,), the places of N people in the annotation file, ``preds`` (N, K, 2),
    keypoints in pixels that count from 0, and ``scores`` (N, K).
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
        """Write the file; there are no metrics."""
        stream = io.BytesIO()
        arrays = map(np.stack, zip(*results))
        np.savez(stream, **dict(zip(('id', 'preds', 'scores'), arrays)))
        write_whole(self.file, stream.getvalue())
        return {}


def evaluate_file(
    path: str | Path, base: int, ann_file: str | Path, headbox_file: str | Path
) -> tuple[list[TableRow], np.ndarray]:
    """Score a prediction file against annotations in MMPose's layout.

    Args:
        path: A .mat or .json file with ``preds``, people in the order of ``ann_file``, or what
            ``test.py --dump`` wrote.
        base: 0 if the upper left pixel of an image is (0, 0) in the file, 1 if it is (1, 1).
        ann_file: ``mpii_val.json``.
        headbox_file: ``mpii_gt_val.mat``.

    Returns:
        The table's rows, and the median offset (2,) in x and y, in pixels, of the predictions from
        the labels of the 14 scored joints, which a wrong base shifts by 1.
    """
    for file in (ann_file, headbox_file):
        if not Path(file).is_file():
            raise ACNNError(f'{file} does not exist: name it, or set ACNN_DATA_ROOT')
    entries = read_annotations(Path(ann_file))
    check_head_boxes(headbox_file, entries)
    people = MpiiDataset(
        ann_file=str(ann_file),
        headbox_file=str(headbox_file),
        test_mode=True,
        serialize_data=False,
    )
    predicted = read_predictions(path, len(entries)) - base
    results = [
        {
            'pred_coords': predicted[[person['id']]],
            'gt_coords': person['keypoints'],
            'mask': person['keypoints_visible'].astype(bool),
            'head_size': person['head_size'],
        }
        for person in people
    ]
    scored = ~np.isin(np.arange(NUM_JOINTS), UNSCORED)
    offsets = np.concatenate(
        [(r['pred_coords'] + 1.0 - r['gt_coords'])[r['mask'] & scored] for r in results]
    )
    return table_rows(results), np.median(offsets, axis=0)


def read_predictions(path: str | Path, num_people: int) -> np.ndarray:
    """Read a prediction file: (N, K, 2) float64, as the file counts pixels.

    Args:
        path: A .mat file with the array ``preds``, a .json file with ``preds`` or with nothing but
            the array, or the .npz file of ``test.py --dump``.
        num_people: N.

    Raises:
        ACNNError: If the file is missing, of another kind, or its array has another shape.
    """
    path = Path(path)
    if path.suffix not in _READERS:
        raise ACNNError(
            f'{path} must end in one of {", ".join(_READERS)}: test.py --dump writes .npz'
        )
    if not path.is_file():
        raise ACNNError(f'prediction file {path} does not exist')
    with explained(f'{path} can not be read as predictions', "they are the array 'preds' of it"):
        array = np.asarray(_READERS[path.suffix](path), dtype=np.float64)
    array = _orient(array, num_people, path)
    if not np.isfinite(array).all():
        raise ACNNError(f'{path} holds coordinates that are not finite numbers')
    return array


def _orient(array: np.ndarray, num_people: int, path: Path) -> np.ndarray:
    """Bring an array to (N, K, 2): MATLAB writes (2, K, N), some tools add a score to x and y."""
    for candidate in (array, array.T):
        if candidate.shape in [(num_people, NUM_JOINTS, numbers) for numbers in (2, 3)]:
            return candidate[..., :2]
    raise ACNNError(
        f'{path} holds an array of shape {array.shape}: {num_people} people x {NUM_JOINTS} joints '
        'x 2 coordinates are needed'
    )


def _read_json(path: Path) -> Any:
    content = json.loads(path.read_text(encoding='utf-8'))
    return content['preds'] if isinstance(content, dict) else content


def _read_npz(path: Path) -> Any:
    with np.load(path) as file:  # which unpickles nothing
        if 'id' not in file:
            raise ACNNError(
                f"{path} has no 'id', which says whose predictions they are: write it with test.py "
                '--dump'
            )
        order = np.argsort(file['id'])
        if not np.array_equal(file['id'][order], np.arange(len(order))):
            raise ACNNError(f'{path} has not everybody once: dump a test of all of the annotations')
        return file['preds'][order]


_READERS = {
    '.mat': lambda path: load_mat(path, 'preds')[0],
    '.json': _read_json,
    '.npz': _read_npz,
}

"""The submission to MPII's benchmark: ``pred_keypoints_mpii.mat`` and a json twin.

The benchmark wants ``annolist(img_train == 0)`` with the predictions filled in: per image, per
rectangle, ``annopoints.point`` with id (from 0), x and y in pixels of the original image, which
count from 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from ..errors import ACNNError
from ..files import write_together
from .mat_file import mat_bytes
from .release import records, struct_array, to_fields
from .submission_frame import Place, SubmissionFrame, image_name


@METRICS.register_module()
class MpiiSubmission(BaseMetric):
    """Writes the submission instead of computing scores, which only the benchmark can.

    Args:
        annolist_file: ``mpii_test_annolist.mat``: the frame to fill in, and whom the benchmark
            scores.
        out_dir: Folder for ``pred_keypoints_mpii.mat`` and ``pred_keypoints_mpii.json``.

    Raises:
        ACNNError: If the file does not exist or is another one.
    """

    default_prefix = 'mpii_test'

    def __init__(self, annolist_file: str, out_dir: str) -> None:
        super().__init__()
        self.frame, self.out_dir = SubmissionFrame(annolist_file), Path(out_dir)

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Keep each person's place and keypoints."""
        for sample in data_samples:
            keypoints = np.asarray(sample['pred_instances']['keypoints'][0], dtype=np.float64)
            self.results.append((self.frame.place_of(sample['raw_ann_info']), keypoints))

    def compute_metrics(self, results: list[tuple[Place, np.ndarray]]) -> dict[str, float]:
        """Write the submission; the only metric is the number of people in it."""
        # pixels count from 0 in MMPose, from 1 in MPII
        points = {place: keypoints + 1 for place, keypoints in results}
        check_complete(points, self.frame)
        annolist = fill_annolist(self.frame.annolist, points)
        mat_file = write_submission(annolist, self.out_dir)
        MMLogger.get_current_instance().info(f'{len(points):,} people written to {mat_file}')
        return {'people': len(points)}


def check_complete(points: Mapping[Place, np.ndarray], frame: SubmissionFrame) -> None:
    """Check that everybody whom the benchmark scores has been predicted.

    Args:
        points: (16, 2) by place.
        frame: Whom it scores.

    Raises:
        ACNNError: If a person is missing, or a coordinate is not a finite number.
    """
    missing = [place for place in frame.required if place not in points]
    if missing:
        image_index, rect_index = missing[0]
        raise ACNNError(
            f'{len(missing)} of {len(frame.required)} people have no prediction, so no submission '
            f'is written; the first is rectangle {rect_index} of '
            f'{image_name(records(frame.annolist)[image_index - 1])}: test on all of '
            'mpii_test.json, and read what tools/convert_mpii.py says of people without a scale or '
            'position'
        )
    for place, joints in points.items():
        if not np.isfinite(joints).all():
            raise ACNNError(
                f'the prediction for rectangle {place[1]} of test image {place[0]} is not finite, '
                'so no submission is written: is the checkpoint sound?'
            )


def fill_annolist(annolist: np.ndarray, points: Mapping[Place, np.ndarray]) -> np.ndarray:
    """Fill predictions in.

    Args:
        annolist: Struct array (1, number of test images).
        points: (16, 2) by place, which exists, in pixels counted from 1.

    Returns:
        A copy whose rectangles, in their order, have ``annopoints`` where predicted.
    """
    images = [to_fields(image) for image in records(annolist)]
    rects = [[to_fields(rect) for rect in records(image['annorect'])] for image in images]
    for (image_index, rect_index), joints in points.items():
        point = struct_array(
            [{'x': x, 'y': y, 'id': float(joint_id)} for joint_id, (x, y) in enumerate(joints)]
        )
        rects[image_index - 1][rect_index - 1]['annopoints'] = struct_array([{'point': point}])
    for image, image_rects in zip(images, rects):
        if image_rects:
            image['annorect'] = struct_array(image_rects)
    return struct_array(images)


def write_submission(annolist: np.ndarray, out_dir: Path) -> Path:
    """Write ``pred_keypoints_mpii.mat`` (variable ``pred``) and its json twin.

    Returns:
        The path of the .mat file.
    """
    mat_file = out_dir / 'pred_keypoints_mpii.mat'
    twin = [_image_to_json(image) for image in records(annolist)]
    write_together(
        {
            mat_file: mat_bytes({'pred': annolist}),
            mat_file.with_suffix('.json'): json.dumps(twin),
        }
    )
    return mat_file


def _image_to_json(image: np.void) -> dict:
    """List an image's rectangles in their order, without points where none were predicted."""
    rects = []
    for rect in records(image['annorect']):
        annopoints = records(to_fields(rect).get('annopoints'))
        point = [
            {name: record[name] for name in ('id', 'x', 'y')}
            for struct in annopoints
            for record in records(struct['point'])
        ]
        rects.append({'annopoints': {'point': point}} if point else {})
    return {'image': {'name': image_name(image)}, 'annorect': rects}

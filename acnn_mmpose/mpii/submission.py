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
from .mat_file import load_mat, mat_bytes
from .release import records, struct_array, to_fields

# positions, counted from 1, of an image in annolist(img_train == 0) and of a rectangle in it
Place = tuple[int, int]


@METRICS.register_module()
class MpiiSubmission(BaseMetric):
    """Writes the submission instead of computing scores, which only the benchmark can.

    Args:
        annolist_file: ``mpii_test_annolist.mat``: the frame to fill in, and whom the benchmark
            scores.
        out_dir: Folder for ``pred_keypoints_mpii.mat`` and ``pred_keypoints_mpii.json``.

    Raises:
        ACNNError: If the file does not exist.
    """

    default_prefix = 'mpii_test'

    def __init__(self, annolist_file: str, out_dir: str) -> None:
        super().__init__()
        if not Path(annolist_file).is_file():
            raise ACNNError(f'{annolist_file} does not exist: run tools/convert_mpii.py')
        self.annolist_file, self.out_dir = annolist_file, Path(out_dir)

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Keep each person's place and keypoints."""
        for sample in data_samples:
            keypoints = np.asarray(sample['pred_instances']['keypoints'][0], dtype=np.float64)
            self.results.append((place_of(sample['raw_ann_info']), keypoints))

    def compute_metrics(self, results: list[tuple[Place, np.ndarray]]) -> dict[str, float]:
        """Write the submission; the only metric is the number of people in it."""
        # pixels count from 0 in MMPose, from 1 in MPII
        points = {place: keypoints + 1 for place, keypoints in results}
        annolist = load_mat(self.annolist_file, 'annolist')
        check_complete(points, annolist, load_mat(self.annolist_file, 'single_person'))
        annolist = fill_annolist(annolist, points)
        mat_file = write_submission(annolist, self.out_dir)
        MMLogger.get_current_instance().info(f'{len(points):,} people written to {mat_file}')
        return {'people': len(points)}


def place_of(entry: Mapping) -> Place:
    """Return the place of an entry of ``mpii_test.json``.

    Raises:
        ACNNError: If the entry does not say.
    """
    try:
        return entry['image_index'], entry['rect_index']
    except KeyError as error:
        raise ACNNError(
            f'the test annotations have no {error}: make them with tools/convert_mpii.py'
        ) from error


def check_complete(
    points: Mapping[Place, np.ndarray], annolist: np.ndarray, single_person: np.ndarray
) -> None:
    """Check that everybody whom the benchmark scores has been predicted.

    Args:
        points: (16, 2) by place.
        annolist: Struct array (1, number of test images).
        single_person: Cell (1, number of test images) of the rectangles that are scored, from 1.

    Raises:
        ACNNError: If a person is missing, or a coordinate is not a finite number.
    """
    required = [
        (image_index, int(rect_index))
        for image_index, rectangles in enumerate(single_person.ravel(), start=1)
        for rect_index in np.ravel(rectangles)
    ]
    missing = [place for place in required if place not in points]
    if missing:
        image_index, rect_index = missing[0]
        raise ACNNError(
            f'{len(missing)} of {len(required)} people have no prediction, so no submission is '
            f'written; the first is rectangle {rect_index} of '
            f'{_image_name(records(annolist)[image_index - 1])}: test on all of mpii_test.json, '
            'and read what tools/convert_mpii.py says of people without a scale or position'
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
        points: (16, 2) by place, in pixels counted from 1.

    Returns:
        A copy whose rectangles, in their order, have ``annopoints`` where predicted.

    Raises:
        ACNNError: If a place does not exist.
    """
    images = [to_fields(image) for image in records(annolist)]
    rects = [[to_fields(rect) for rect in records(image['annorect'])] for image in images]
    for (image_index, rect_index), joints in points.items():
        if not (image_index <= len(rects) and rect_index <= len(rects[image_index - 1])):
            raise ACNNError(
                f'there is no rectangle {rect_index} of test image {image_index}: mpii_test.json '
                'and mpii_test_annolist.mat must come from one run of tools/convert_mpii.py'
            )
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
    return {'image': {'name': _image_name(image)}, 'annorect': rects}


def _image_name(image: np.void) -> str:
    return str(records(image['image'])[0]['name'][0])

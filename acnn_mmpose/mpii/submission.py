"""The submission to MPII's benchmark: ``pred_keypoints_mpii.mat`` and a json twin.

The benchmark wants ``annolist(img_train == 0)``, which ``mpii_test_annolist.mat`` holds, with the
predictions filled in: per image, per rectangle, ``annopoints.point`` with id (from 0), x and y in
pixels of the original image, which count from 1.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from ..errors import ACNNError
from ..files import write_together
from .mat_file import load_mat, mat_bytes
from .release import read_person, records, struct_array, to_fields

# positions, counted from 1, of an image in annolist(img_train == 0) and of a rectangle in it
Place = tuple[int, int]

REMEDY = 'make mpii_test.json and mpii_test_annolist.mat in one run of tools/convert_mpii.py'


@METRICS.register_module()
class MpiiSubmission(BaseMetric):
    """Writes the submission instead of computing scores, which only the benchmark can.

    Args:
        annolist_file: ``mpii_test_annolist.mat``: the frame to fill in, and whom the benchmark
            scores.
        out_dir: Folder for ``pred_keypoints_mpii.mat`` and ``pred_keypoints_mpii.json``.
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
        _check_complete(points, self.frame)
        mat_file = write_submission(_fill(self.frame.annolist, points), self.out_dir)
        MMLogger.get_current_instance().info(f'{len(points):,} people written to {mat_file}')
        return {'people': len(points)}


def write_submission(annolist: np.ndarray, out_dir: Path) -> Path:
    """Write ``pred_keypoints_mpii.mat`` (variable ``pred``) and its json twin."""
    mat_file = out_dir / 'pred_keypoints_mpii.mat'
    twin = json.dumps([_image_to_json(image) for image in records(annolist)])
    write_together({mat_file: mat_bytes({'pred': annolist}), mat_file.with_suffix('.json'): twin})
    return mat_file


class SubmissionFrame:
    """Where each person of ``mpii_test.json`` belongs, and whom the benchmark scores.

    Read from ``mpii_test_annolist.mat``: ``annolist``, a struct array (1, number of test images),
    and ``required``, the places of the people whom the benchmark scores.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise ACNNError(f'{path} does not exist: run tools/convert_mpii.py')
        self._path = path
        self.annolist = load_mat(path, 'annolist')
        single_person = load_mat(path, 'single_person')
        try:
            images = records(self.annolist)
            self._names = [_image_name(image) for image in images]
            self._centers = [
                [read_person(rect, False, Counter()).center for rect in records(image['annorect'])]
                for image in images
            ]
            self.required = [
                (image_index, int(rect_index))
                for image_index, rectangles in enumerate(single_person.ravel(), start=1)
                for rect_index in np.ravel(rectangles)
            ]
            sound = bool(images) and all(map(self._exists, self.required))
        except (IndexError, KeyError, TypeError, ValueError):
            sound = False
        if not sound or single_person.size != len(images):
            raise ACNNError(f'{path} is not the frame of a submission: {REMEDY}')

    def check(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Check that every entry of ``mpii_test.json`` has a place of its own, with its person."""
        places = Counter(map(self.place_of, entries))
        (place, count), *_ = places.most_common(1)
        if count > 1:
            raise ACNNError(
                f'{count} people of the test annotations are rectangle {place[1]} of test image '
                f'{place[0]}: {REMEDY}'
            )

    def place_of(self, entry: Mapping[str, Any]) -> Place:
        """Return the place of an entry of ``mpii_test.json``.

        Raises:
            ACNNError: If the entry does not say, or the place is another person's.
        """
        try:
            place = image_index, rect_index = entry['image_index'], entry['rect_index']
        except KeyError as error:
            raise ACNNError(
                f'the test annotations have no {error}: make them with tools/convert_mpii.py'
            ) from error
        if not all(type(index) is int for index in place) or not self._exists(place):
            raise ACNNError(
                f'there is no rectangle {rect_index} of test image {image_index}: {REMEDY}'
            )
        name = self._names[image_index - 1]
        if entry['image'] != name:
            raise ACNNError(
                f'test image {image_index} is {entry["image"]} in the annotations, but {name} in '
                f'{self._path}: {REMEDY}'
            )
        center = self._centers[image_index - 1][rect_index - 1]
        if not np.allclose(center, entry['center'], rtol=0, atol=0.01):  # which is rounded
            raise ACNNError(
                f'the person at {entry["center"]} is not rectangle {rect_index} of {name}, which '
                f'is at {center.tolist()}: {REMEDY}'
            )
        return place

    def _exists(self, place: Place) -> bool:
        image, rectangle = place
        images = self._centers
        return 1 <= image <= len(images) and 1 <= rectangle <= len(images[image - 1])


def _check_complete(points: Mapping[Place, np.ndarray], frame: SubmissionFrame) -> None:
    """Check that everybody whom the benchmark scores has finite predictions (16, 2)."""
    missing = [place for place in frame.required if place not in points]
    if missing:
        image_index, rect_index = missing[0]
        raise ACNNError(
            f'{len(missing)} of {len(frame.required)} people have no prediction, so no submission '
            f'is written; the first is rectangle {rect_index} of '
            f'{_image_name(records(frame.annolist)[image_index - 1])}: test on all of '
            'mpii_test.json, and read what tools/convert_mpii.py says of people without a scale or '
            'position'
        )
    for place, joints in points.items():
        if not np.isfinite(joints).all():
            raise ACNNError(
                f'the prediction for rectangle {place[1]} of test image {place[0]} is not finite, '
                'so no submission is written: is the checkpoint sound?'
            )


def _fill(annolist: np.ndarray, points: Mapping[Place, np.ndarray]) -> np.ndarray:
    """Return a copy of ``annolist`` whose rectangles have ``annopoints`` where predicted.

    The points (16, 2) are by place, which exists, in pixels counted from 1.
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


def _image_to_json(image: np.void) -> dict:
    """List an image's rectangles in their order, without points where none were predicted."""
    rects = []
    for rect in records(image['annorect']):
        point = [
            {name: record[name] for name in ('id', 'x', 'y')}
            for struct in records(to_fields(rect).get('annopoints'))
            for record in records(struct['point'])
        ]
        rects.append({'annopoints': {'point': point}} if point else {})
    return {'image': {'name': _image_name(image)}, 'annorect': rects}


def _image_name(image: np.void) -> str:
    """Return the file name of an element of annolist."""
    return str(records(image['image'])[0]['name'][0])

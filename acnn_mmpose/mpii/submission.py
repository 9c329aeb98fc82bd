"""The submission to MPII's benchmark, ``pred_keypoints_mpii.mat``.

The benchmark wants ``annolist(img_train == 0)``, which ``mpii_test_annolist.mat`` holds, with the
predictions filled in: per image, per rectangle, ``annopoints.point`` with id (from 0), x and y in
pixels of the original image, which count from 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from ..errors import ACNNError
from ..files import write_whole
from .mat_file import load_mat, mat_bytes
from .release import read_people, records, struct_array

# positions, counted from 1, of an image in annolist(img_train == 0) and of a rectangle in it
Place = tuple[int, int]

REMEDY = 'make mpii_test.json and mpii_test_annolist.mat in one run of tools/convert_mpii.py'


@METRICS.register_module()
class MpiiSubmission(BaseMetric):
    """Writes the submission instead of computing scores, which only the benchmark can.

    Args:
        annolist_file: ``mpii_test_annolist.mat``: the frame to fill in, and whom the benchmark
            scores.
        out_dir: Folder for ``pred_keypoints_mpii.mat``.
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
        file = self.out_dir / 'pred_keypoints_mpii.mat'
        write_whole(file, mat_bytes({'pred': self.frame.fill(points)}))
        MMLogger.get_current_instance().info(f'{len(points):,} people written to {file}')
        return {'people': len(points)}


class SubmissionFrame:
    """Where each person of ``mpii_test.json`` belongs, and whom the benchmark scores.

    Args:
        path: ``mpii_test_annolist.mat``: ``annolist``, a struct array (1, number of test images),
            and ``single_person``, the rectangles of each that the benchmark scores.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise ACNNError(f'{path} does not exist: run tools/convert_mpii.py')
        self.path = path
        annolist, single_person = load_mat(path, 'annolist', 'single_person')
        self.images = records(annolist)
        self.people = {
            (image_index, rect_index): person
            for image_index, image in enumerate(self.images, start=1)
            for rect_index, person in enumerate(read_people(image), start=1)
        }
        single_person = single_person.ravel()
        self.required = [
            (image_index, rect_index)
            for image_index, rectangles in enumerate(single_person, start=1)
            for rect_index in np.ravel(rectangles)
        ]
        whole = len(single_person) == len(self.images) > 0
        if not whole or not all(place in self.people for place in self.required):
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
        """Return the place of an entry of ``mpii_test.json``; refuse one that is not its."""
        place: Any = entry.get('image_index'), entry.get('rect_index')
        person = self.people.get(place) if all(type(index) is int for index in place) else None
        # centers are rounded
        if (
            person is None
            or person.image != entry['image']
            or not np.allclose(person.center, entry['center'], rtol=0, atol=0.01)
        ):
            raise ACNNError(
                f'the person of {entry["image"]} at {entry["center"]} is not rectangle {place[1]} '
                f'of test image {place[0]} in {self.path}: {REMEDY}'
            )
        return place

    def fill(self, points: Mapping[Place, np.ndarray]) -> np.ndarray:
        """Return ``annolist`` with ``annopoints`` in the rectangles of people.

        Args:
            points: (16, 2) by place, in pixels counted from 1.

        Raises:
            ACNNError: If somebody is missing whom the benchmark scores.
        """
        missing = [place for place in self.required if place not in points]
        if missing:
            image_index, rect_index = missing[0]
            raise ACNNError(
                f'{len(missing)} of {len(self.required)} people have no prediction, so no '
                f'submission is written; the first is rectangle {rect_index:g} of '
                f'{self.people[missing[0]].image}: test on all of mpii_test.json, and read what '
                'tools/convert_mpii.py says of people without a scale or position'
            )
        images = []
        for image_index, image in enumerate(self.images, start=1):
            rects = records(image.get('annorect'))
            for rect_index, rect in enumerate(rects, start=1):
                joints = points.get((image_index, rect_index), ())
                point = [{'x': x, 'y': y, 'id': float(i)} for i, (x, y) in enumerate(joints)]
                if point:
                    rect['annopoints'] = struct_array([{'point': struct_array(point)}])
            images.append({**image, 'annorect': struct_array(rects)} if rects else image)
        return struct_array(images)

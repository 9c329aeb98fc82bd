"""``mpii_test_annolist.mat``: the official test images, which a submission fills in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ACNNError
from .mat_file import load_mat
from .release import read_person, records

# positions, counted from 1, of an image in annolist(img_train == 0) and of a rectangle in it
Place = tuple[int, int]

REMEDY = 'make mpii_test.json and mpii_test_annolist.mat in one run of tools/convert_mpii.py'


class SubmissionFrame:
    """Where each person of ``mpii_test.json`` belongs, and whom the benchmark scores.

    Args:
        path: ``mpii_test_annolist.mat``.

    Attributes:
        annolist: Struct array (1, number of test images).
        required: The places of the people whom the benchmark scores.

    Raises:
        ACNNError: If the file is missing, or is not what the converter writes.
    """

    def __init__(self, path: str | Path) -> None:
        if not Path(path).is_file():
            raise ACNNError(f'{path} does not exist: run tools/convert_mpii.py')
        self._path = path
        self.annolist = load_mat(path, 'annolist')
        single_person = load_mat(path, 'single_person')
        try:
            images = records(self.annolist)
            self._names = [image_name(image) for image in images]
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
        """Check that every entry of ``mpii_test.json`` has a place of its own, with its person.

        Raises:
            ACNNError: Naming the first that has not.
        """
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
        image_index, rect_index = place
        return 1 <= image_index <= len(self._centers) and 1 <= rect_index <= len(
            self._centers[image_index - 1]
        )


def image_name(image: np.void) -> str:
    """Return the file name of an element of annolist."""
    return str(records(image['image'])[0]['name'][0])

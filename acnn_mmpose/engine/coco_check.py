"""Whether a data set in COCO's format can be used, before anything long starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ACNNError, name_first
from ..files import read_json
from ..image_check import glance_at_images

LOOK_UP = 'docs/own_data.md shows what it looks like'
IMAGE_KEYS = ('id', 'file_name', 'width', 'height')
PERSON_KEYS = ('id', 'image_id', 'category_id', 'bbox', 'keypoints')
WHOLE_KEYS = ('id', 'image_id', 'category_id', 'width', 'height')
SCORED_KEYS = ('area', 'iscrowd', 'num_keypoints')  # which COCO's metric reads


def check_coco(ann_file: Path, image_folder: Path, num_joints: int, is_scored: bool) -> None:
    """Check annotations, and that the images of people are there; COCO lists others, too.

    Args:
        ann_file: The json file.
        image_folder: Where its images lie.
        num_joints: Of a person.
        is_scored: Whether COCO's metric will read the file, too.

    Raises:
        ACNNError: Naming the first thing that is wrong, and what to do.
    """
    content = read_json(ann_file, LOOK_UP)
    keys = PERSON_KEYS + (SCORED_KEYS if is_scored else ())
    for problem in _problems(content, num_joints, keys):
        raise ACNNError(f'{ann_file}: {problem}; {LOOK_UP}')
    used = {person['image_id'] for person in content['annotations']}
    names = [image['file_name'] for image in content['images'] if image['id'] in used]
    problems = glance_at_images(image_folder, names)
    if problems:
        raise ACNNError(
            f'{name_first(problems)}: restore it, or take it and its people out of {ann_file}'
        )


def _problems(content: Any, num_joints: int, person_keys: tuple[str, ...]) -> Iterator[str]:
    for name in ('images', 'categories', 'annotations'):
        if not isinstance(content, dict) or not isinstance(content.get(name), list):
            yield f'has no list of {name}'
            return
        if not content[name]:
            yield f'its list of {name} is empty'
    for name, keys in (('images', IMAGE_KEYS), ('annotations', person_keys)):
        ids = set()
        for entry in content[name]:
            missing = [key for key in keys if not isinstance(entry, dict) or key not in entry]
            if missing:
                yield f'an entry of {name} has no {", ".join(missing)}: {str(entry)[:100]}'
                return
            wrong = [key for key in WHOLE_KEYS if not isinstance(entry.get(key, 0), int)]
            if wrong or not isinstance(entry.get('file_name', ''), str):
                yield (
                    f'{", ".join(wrong) or "file_name"} of an entry of {name} must be '
                    f'{"whole numbers" if wrong else "text"}: {str(entry)[:100]}'
                )
                return
            if entry['id'] in ids:
                yield f'two entries of {name} have the id {entry["id"]}'
            ids.add(entry['id'])
    images = {image['id'] for image in content['images']}
    for person in content['annotations']:
        if person['image_id'] not in images:
            yield f'annotation {person["id"]} is of image {person["image_id"]}, which is not listed'
        for key, length, what in (
            ('bbox', 4, 'x, y, width, height'),
            ('keypoints', 3 * num_joints, f'x, y, v for each of {num_joints} joints'),
        ):
            if not _are_numbers(person[key], length):
                yield (
                    f'the {key} of annotation {person["id"]} must be {length} numbers ({what}), '
                    f'but is {str(person[key])[:100]}'
                )


def _are_numbers(values: Any, length: int) -> bool:
    return (
        isinstance(values, list)
        and len(values) == length
        and all(isinstance(value, (int, float)) for value in values)
        and bool(np.isfinite(values).all())
    )

"""Toy people with annotations as COCO has them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

# MPII's numbers of joints; it has no eyes and ears
OWN_JOINTS = (9, 10, 15, 0, 5)
COCO_JOINTS = (9, 9, 9, 9, 9, 13, 12, 14, 11, 15, 10, 3, 2, 4, 1, 5, 0)


def write_coco_file(toy_root: Path, split: str, path: Path, joints: Sequence[int]) -> list[str]:
    """Write a few people of a split of the toy data set; return the names of their images."""
    people = json.loads((toy_root / f'annotations/mpii_{split}.json').read_text())[:8]
    images, annotations = [], []
    for number, person in enumerate(people, start=1):
        height, width = cv2.imread(str(toy_root / 'images' / person['image'])).shape[:2]
        images.append(dict(id=number, file_name=person['image'], width=width, height=height))
        seen = np.array(person['joints_vis'])[list(joints), None] > 0
        points = (np.array(person['joints'])[list(joints)] - 1) * seen  # MPII counts from 1
        labelled = points[seen[:, 0]] if seen.any() else np.zeros((1, 2))
        left_top = np.maximum(labelled.min(0) - 10, 0)
        sizes = labelled.max(0) + 10 - left_top
        annotations.append(
            dict(
                id=number,
                image_id=number,
                category_id=1,
                iscrowd=0,
                num_keypoints=int(seen.sum()),
                bbox=[*left_top.tolist(), *sizes.tolist()],
                area=float(sizes.prod() / 2),
                keypoints=np.hstack([points, 2 * seen]).flatten().tolist(),
            )
        )
    content = dict(images=images, categories=[dict(id=1, name='person')], annotations=annotations)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return [image['file_name'] for image in images]

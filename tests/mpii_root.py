"""Make a small data root in MPII's layout: from an official-layout file, through the converter."""

from __future__ import annotations

from pathlib import Path

from acnn_mmpose.mpii import convert_mpii
from acnn_mmpose.mpii.convert import load_val_split

import cv2
import numpy as np

from tests.test_mpii.official_release import image, rect, save_release

WIDTH, HEIGHT = 320, 240


def make_mpii_root(root: Path, num_train: int = 4, num_val: int = 6) -> Path:
    """Write images/, annotations/ and the official file they come from, with random people.

    Two test images have 2 and 3 people, of whom the benchmark scores all but one; the people of the
    second one are at the image's corners.
    """
    rng = np.random.default_rng(0)
    val = [p for p in load_val_split() if p.x < WIDTH and p.y < HEIGHT][:num_val]
    people = [(f'{i:09d}.jpg', (160, 120)) for i in range(1, num_train + 1)]
    people += [(p.image, (p.x, p.y)) for p in val]
    images = [image(name, [_person(center, rng)]) for name, center in people]
    corners = [(3, 4), (WIDTH, 2), (WIDTH - 1, HEIGHT)]
    images.insert(2, image('000000098.jpg', [rect(None, c, 1.2) for c in ((90, 99), (200, 120))]))
    images.append(image('000000099.jpg', [rect(None, center, 0.9) for center in corners]))
    single_person = [[1]] * len(images)
    single_person[2], single_person[-1] = [2], [1, 2, 3]
    (root / 'images').mkdir(parents=True)
    for element in images:
        pixels = cv2.resize(rng.integers(0, 255, (12, 16, 3), np.uint8), (WIDTH, HEIGHT))
        cv2.imwrite(str(root / 'images' / element['image']['name'][0, 0]), pixels)
    is_train = [name not in ('000000098.jpg', '000000099.jpg') for name in _names(images)]
    save_release(root / 'official.mat', images, is_train, single_person)
    convert_mpii(root / 'official.mat', root / 'annotations')
    return root


def _person(center: tuple[float, float], rng: np.random.Generator) -> dict:
    joints = np.clip(center + rng.normal(0, 25, (16, 2)), 1, (WIDTH, HEIGHT))
    labelled = {j: joint for j, joint in enumerate(joints) if rng.random() > 0.1}
    head = (*joints[9], *(joints[9] + 150))  # so large that chance scores
    return rect(labelled, center, 0.8, head)


def _names(images: list[dict]) -> list[str]:
    return [element['image']['name'][0, 0] for element in images]

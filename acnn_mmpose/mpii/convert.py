"""From MPII's official annotation file to the files that MMPose's MpiiDataset reads.

The keys, their order and their precision are those of the json files that HRNet made popular;
coordinates count from 1. ``val_split.txt`` lists the usual validation split (Tompson et al., CVPR
2015): one image per line, its number and then the position (``objpos`` x,y) of each person, in the
order of the 2,958 rows of ``mpii_val.json`` that published predictions follow.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import make_folder, write_together
from .annotations import entry_problems, is_head_box
from .mat_file import mat_bytes
from .release import Image, Person, read_release

SPLIT_FILE = Path(__file__).with_name('val_split.txt')

# in the order of the joint ids, as evaluation code for MPII abbreviates them
JOINT_NAMES = (
    *('rank', 'rkne', 'rhip', 'lhip', 'lkne', 'lank', 'pelv', 'thor'),
    *('neck', 'head', 'rwri', 'relb', 'rsho', 'lsho', 'lelb', 'lwri'),
)
UNLABELLED = [-1.0, -1.0]
# remarks of the report
NOT_FOUND = 'people of the validation split NOT FOUND: scores are not comparable'
NO_HEAD_BOX = 'people of the validation split left out: no head box'
NOT_SCORED = 'test people left out: not in single_person, which the benchmark scores'
USELESS = 'left out: no points, scale, position or image name that can be used'
ONLY_TRAINVAL = 'people not in the validation split but on its images: in trainval, not in train'
ODD_POINTS = 'points left out: no coordinates, or no id of their own from 0 to 15'


class SplitPerson(NamedTuple):
    """A person of the validation split: image file name and position in pixels, from 1."""

    image: str
    x: float
    y: float


def convert(mat_file: str | Path, out_dir: str | Path) -> str:
    """Convert the official annotation file, ``mpii_human_pose_v1_u12_1.mat``.

    Writes ``mpii_train.json``, ``mpii_val.json``, ``mpii_trainval.json``, ``mpii_test.json`` and
    ``mpii_gt_val.mat``, and ``mpii_test_annolist.mat``, the official test images as they are, for
    the submission to fill in, and which of their rectangles the benchmark scores: all into
    ``annotations/`` of the data root, or nothing.

    Returns:
        A report of what was written and what was left out.
    """
    images, test_annolist = read_release(mat_file)
    out_dir = make_folder(out_dir, 'the output folder')
    remarks = Counter({ODD_POINTS: sum(p.odd_points for image in images for p in image.people)})
    split = load_val_split()
    split_images = {person.image for person in split}
    val = _find_val(split, images, remarks)
    trainval = [p for image in images if image.is_train for p in image.people if _is_useful(p)]
    train = [person for person in trainval if person.image not in split_images]
    all_train = sum(len(image.people) for image in images if image.is_train)
    remarks[f'training people {USELESS}'] = all_train - len(trainval)
    remarks[ONLY_TRAINVAL] = len(trainval) - len(train) - len(val)
    test_images = [image for image in images if not image.is_train]
    files = {
        'mpii_train.json': [to_entry(person) for person in train],
        'mpii_val.json': [to_entry(person) for person in val],
        'mpii_trainval.json': [to_entry(person) for person in trainval],
        'mpii_test.json': _test_entries(test_images, remarks),
    }
    single_person = np.empty((1, len(test_images)), dtype=object)
    for index, image in enumerate(test_images):
        single_person[0, index] = np.array(image.single_person, dtype=np.float64)
    frame = {'annolist': test_annolist, 'single_person': single_person}
    write_together(
        {
            **{out_dir / name: json.dumps(entries) for name, entries in files.items()},
            out_dir / 'mpii_gt_val.mat': mat_bytes(ground_truth(val)),
            out_dir / 'mpii_test_annolist.mat': mat_bytes(frame),
        }
    )
    lines = [f'{out_dir / name}: {len(entries):,} people' for name, entries in files.items()]
    lines.append(f'{out_dir / "mpii_gt_val.mat"}: {len(val):,} head boxes')
    lines.append(f'{out_dir / "mpii_test_annolist.mat"}: {len(test_images):,} images')
    lines += [f'{count:,} {remark}' for remark, count in sorted(remarks.items()) if count]
    return '\n'.join(lines)


def load_val_split() -> list[SplitPerson]:
    """Read the validation split, in its order."""
    split = []
    for line in SPLIT_FILE.read_text(encoding='utf-8').splitlines():
        number, *positions = line.split()
        split += [SplitPerson(f'{number}.jpg', *map(float, p.split(','))) for p in positions]
    return split


def find_person(person: SplitPerson, centers: Sequence[np.ndarray]) -> int | None:
    """Find which of an image's people is meant, by their ``objpos`` (2,), NaN where absent.

    Returns:
        The index of the nearest one, or None if none is less than a pixel away.
    """
    distances = [np.hypot(x - person.x, y - person.y) for x, y in centers]
    return int(np.nanargmin(distances)) if np.any(np.less(distances, 1)) else None


def _find_val(
    split: Sequence[SplitPerson], images: Sequence[Image], remarks: Counter
) -> list[Person]:
    by_name = {i.people[0].image: i.people for i in images if i.is_train and i.people}
    found = []
    for wanted in split:
        people = by_name.get(wanted.image, [])
        index = find_person(wanted, [person.center for person in people])
        if index is None:
            remarks[NOT_FOUND] += 1
        elif not _is_useful(people[index]):
            remarks[f'people of the validation split {USELESS}'] += 1
        elif not is_head_box(people[index].head_box):
            remarks[NO_HEAD_BOX] += 1
        else:
            found.append(people[index])
    return found


def _is_useful(person: Person) -> bool:
    """Whether a training person has a labelled joint, and nothing that training refuses."""
    return bool(np.isfinite(person.joints).any()) and not any(
        entry_problems(to_entry(person), has_joints=True)
    )


def _test_entries(images: Sequence[Image], remarks: Counter) -> list[dict]:
    """List the people of the test images that the benchmark scores.

    Entries are as in the other files, without joints, and with the positions, counted from 1, of
    image and rectangle in ``annolist(img_train == 0)``.
    """
    entries = []
    for image_index, image in enumerate(images, start=1):
        for rect_index, person in enumerate(image.people, start=1):
            if rect_index not in image.single_person:
                remarks[NOT_SCORED] += 1
            elif any(entry_problems(_location(person), has_joints=False)):
                remarks[f'TEST PEOPLE IN single_person {USELESS}'] += 1
            else:
                place = {'image_index': image_index, 'rect_index': rect_index}
                entries.append({**_location(person), **place})
    return entries


def to_entry(person: Person) -> dict:
    """Make a person's entry of an annotation file."""
    labelled = np.isfinite(person.joints[:, 0])
    return {
        'joints_vis': labelled.astype(int).tolist(),
        'joints': [
            np.round(joint, 4).tolist() if is_labelled else UNLABELLED
            for joint, is_labelled in zip(person.joints, labelled)
        ],
        **_location(person),
    }


def _location(person: Person) -> dict:
    return {
        'image': person.image,
        'scale': round(person.scale, 6),
        'center': np.round(person.center, 4).tolist(),
    }


def ground_truth(people: Sequence[Person]) -> dict[str, np.ndarray]:
    """Make ``mpii_gt_val.mat``: pixels from 1, (16, 2, N) and (2, 2, N); 0 where not labelled."""
    joints = np.array([person.joints for person in people]).reshape(-1, len(JOINT_NAMES), 2)
    head_boxes = np.array([person.head_box for person in people]).reshape(-1, 2, 2)
    return {
        'dataset_joints': np.array([JOINT_NAMES], dtype=object),
        'jnt_missing': np.isnan(joints[..., 0]).T.astype(np.uint8),
        'pos_gt_src': np.nan_to_num(joints).transpose(1, 2, 0),
        'headboxes_src': head_boxes.transpose(1, 2, 0),
    }

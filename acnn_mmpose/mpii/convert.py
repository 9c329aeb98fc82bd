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
UNSOUND = 'AN IMAGE NAME, SCALE, POSITION OR JOINT THAT NOBODY CAN USE'


class SplitPerson(NamedTuple):
    """A person of the validation split: image file name and position in pixels, from 1."""

    image: str
    x: float
    y: float


class Row(NamedTuple):
    """One person of an annotation file, with the name of the image."""

    image: str
    person: Person


class Splits(NamedTuple):
    """Which people go into which file.

    Attributes:
        train: Usable people of training images that the validation split does not touch.
        val: The validation split.
        trainval: All usable people of training images, in the official order.
        test: Entries of ``mpii_test.json``.
        remarks: How many people were left out, and why.
    """

    train: list[Row]
    val: list[Row]
    trainval: list[Row]
    test: list[dict]
    remarks: Counter


def convert(mat_file: str | Path, out_dir: str | Path) -> str:
    """Convert the official annotation file, ``mpii_human_pose_v1_u12_1.mat``.

    Writes ``mpii_train.json``, ``mpii_val.json``, ``mpii_trainval.json``, ``mpii_test.json`` and
    ``mpii_gt_val.mat``, and ``mpii_test_annolist.mat``, the official test images as they are, for
    the submission to fill in, and which of their rectangles the benchmark scores: all into
    ``annotations/`` of the data root, or nothing.

    Returns:
        A report of what was written, what was irregular and what was left out.
    """
    release = read_release(mat_file)
    splits = _assign_splits(release.images)
    out_dir = make_folder(out_dir, 'the output folder')
    files = {
        'mpii_train.json': [_to_entry(row) for row in splits.train],
        'mpii_val.json': [_to_entry(row) for row in splits.val],
        'mpii_trainval.json': [_to_entry(row) for row in splits.trainval],
        'mpii_test.json': splits.test,
    }
    scored = [image.single_person for image in release.images if not image.is_train]
    cell = np.empty((1, len(scored)), dtype=object)
    for index, rectangles in enumerate(scored):
        cell[0, index] = np.array(rectangles, dtype=np.float64)
    test_images = {'annolist': release.test_annolist, 'single_person': cell}
    write_together(
        {
            **{out_dir / name: json.dumps(entries) for name, entries in files.items()},
            out_dir / 'mpii_gt_val.mat': mat_bytes(_ground_truth(splits.val)),
            out_dir / 'mpii_test_annolist.mat': mat_bytes(test_images),
        }
    )
    lines = [f'{out_dir / name}: {len(entries):,} people' for name, entries in files.items()]
    lines.append(f'{out_dir / "mpii_gt_val.mat"}: {len(splits.val):,} head boxes')
    lines.append(f'{out_dir / "mpii_test_annolist.mat"}: {release.test_annolist.size:,} images')
    remarks = release.remarks + splits.remarks  # drops what never happened
    lines += [f'{count:,} {remark}' for remark, count in sorted(remarks.items())]
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


def _assign_splits(images: Sequence[Image]) -> Splits:
    """Decide which people of all images, in the official order, go into which file."""
    remarks: Counter = Counter()
    val, val_images = _find_val(images, remarks)
    train, trainval, test = [], [], []
    test_index = 0
    for image in images:
        if not image.is_train:
            test_index += 1
            test += _test_entries(image, test_index, remarks)
            continue
        rows = [Row(image.name, p) for p in image.people if p.is_located and p.is_labelled]
        missing = len(image.people) - len(rows)
        remarks['training people left out: no points, scale or position'] += missing
        sound = [row for row in rows if not any(entry_problems(_to_entry(row), has_joints=True))]
        remarks[f'training people left out: {UNSOUND}'] += len(rows) - len(sound)
        trainval += sound
        if image.name not in val_images:
            train += sound
    remarks['people not in the validation split but on its images: in trainval, not in train'] += (
        len(trainval) - len(train) - len(val)
    )
    return Splits(train, val, trainval, test, remarks)


def _find_val(images: Sequence[Image], remarks: Counter) -> tuple[list[Row], set[str]]:
    by_name = {image.name: image for image in images if image.is_train}
    rows, split = [], load_val_split()
    for wanted in split:
        people = by_name[wanted.image].people if wanted.image in by_name else []
        index = find_person(wanted, [person.center for person in people])
        if index is None:
            remarks['people of the validation split NOT FOUND: scores are not comparable'] += 1
        elif not (people[index].is_located and people[index].is_labelled):
            remarks['people of the validation split left out: no points or scale'] += 1
        elif not is_head_box(people[index].head_box):
            remarks['people of the validation split left out: no head box'] += 1
        elif any(entry_problems(_to_entry(Row(wanted.image, people[index])), has_joints=True)):
            remarks[f'people of the validation split left out: {UNSOUND}'] += 1
        else:
            rows.append(Row(wanted.image, people[index]))
    return rows, {wanted.image for wanted in split}


def _test_entries(image: Image, image_index: int, remarks: Counter) -> list[dict]:
    """List the people of a test image that the benchmark scores.

    Entries are as in the other files, without joints, and with the positions, counted from 1, of
    image and rectangle in ``annolist(img_train == 0)``.
    """
    entries = []
    for rect_index, person in enumerate(image.people, start=1):
        if rect_index not in image.single_person:
            remarks['test people left out: not in single_person, which the benchmark scores'] += 1
        elif not person.is_located:
            remarks['test people in single_person left out: NO SCALE OR POSITION'] += 1
        elif any(entry_problems(entry := _location(Row(image.name, person)), has_joints=False)):
            remarks[f'test people in single_person left out: {UNSOUND}'] += 1
        else:
            entries.append({**entry, 'image_index': image_index, 'rect_index': rect_index})
    return entries


def _to_entry(row: Row) -> dict:
    """Make a person's entry of an annotation file."""
    labelled = np.isfinite(row.person.joints[:, 0])
    return {
        'joints_vis': labelled.astype(int).tolist(),
        'joints': [
            np.round(joint, 4).tolist() if is_labelled else UNLABELLED
            for joint, is_labelled in zip(row.person.joints, labelled)
        ],
        **_location(row),
    }


def _location(row: Row) -> dict:
    return {
        'image': row.image,
        'scale': round(row.person.scale, 6),
        'center': np.round(row.person.center, 4).tolist(),
    }


def _ground_truth(rows: Sequence[Row]) -> dict[str, np.ndarray]:
    """Make ``mpii_gt_val.mat``: pixels from 1, (16, 2, N) and (2, 2, N); 0 where not labelled."""
    joints = np.array([row.person.joints for row in rows]).reshape(-1, len(JOINT_NAMES), 2)
    head_boxes = np.array([row.person.head_box for row in rows]).reshape(-1, 2, 2)
    return {
        'dataset_joints': np.array([JOINT_NAMES], dtype=object),
        'jnt_missing': np.isnan(joints[..., 0]).T.astype(np.uint8),
        'pos_gt_src': np.nan_to_num(joints).transpose(1, 2, 0),
        'headboxes_src': head_boxes.transpose(1, 2, 0),
    }

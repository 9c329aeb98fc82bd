"""A toy pose data set in the layout of MPII: drawn people over clutter, made in seconds.

It lets the whole chain (training, evaluation, pictures) run where no MPII is at hand. MMPose's
stock ``MpiiDataset`` and ``MpiiPCKAccuracy`` read it unchanged::

    <root>/toy.json                         the options the set was made with
    <root>/images/000000001.jpg ...         training images, numbered from 1
    <root>/images/100000001.jpg ...         validation images
    <root>/annotations/mpii_train.json
    <root>/annotations/mpii_val.json
    <root>/annotations/mpii_gt_val.mat      head boxes of the validation people

Every image holds one annotated person near its annotated centre, and fragments of other people and
limb-like bars further away. Image i of a split depends on (seed, split, i) only, so a larger set
begins with the smaller one.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from ..errors import ACNNError
from ..files import read_json, write_together, write_whole
from ..mpii.convert import ground_truth, to_entry
from ..mpii.mat_file import mat_bytes
from ..mpii.release import NUM_JOINTS, Person
from ..progress import show_progress
from .person import (
    HAIR_TONES,
    SKIN_TONES,
    Shape,
    body_parts,
    dress,
    paint_parts,
    paint_shape,
    plain_paint,
    random_colour,
    woven_paint,
)
from .posture import Joint, head_box, pose_body

GENERATOR_VERSION = 1  # raise it with every change of the pictures or the annotations
MANIFEST = 'toy.json'
HEAD_BOXES = 'annotations/mpii_gt_val.mat'  # written last, with the other annotations
SPLITS = ('train', 'val')
MAX_IMAGES = 10**8 - 1  # of a split: file names have one digit for the split and eight for the rest
JPEG_QUALITY = 92

IMAGE_SIDES = (192, 288)  # pixels
STATURES = (0.55, 0.8)  # of the standing person, as a part of the image height
STATURE_LIMITS = (110.0, 200.0)  # pixels
PLACEMENT = (-0.1, 1.1)  # of the person in the free space of the image; 0 and 1 touch its border
MPII_PIXELS = 200.0  # the height of a standing person of scale 1
# How far, in statures, an annotated centre lies from the middle of the joints: mean and standard
# deviation as found in MPII.
CENTER_OFFSET, CENTER_SPREAD = (0.0, -0.03), (0.045, 0.055)
DISTRACTOR_DISTANCE = (0.7, 1.2)  # from the person, in statures
# What a distractor shows of a person: the joint in its middle, and the regions of its parts.
FRAGMENTS = (
    (Joint.L_ELBOW, ('left arm',)),
    (Joint.R_ELBOW, ('right arm',)),
    (Joint.L_KNEE, ('left leg',)),
    (Joint.R_KNEE, ('right leg', 'left leg')),
    (Joint.UPPER_NECK, ('head',)),
    (Joint.THORAX, ('torso', 'left arm')),
    (Joint.THORAX, ('head', 'torso', 'left arm', 'right arm')),
)


class ToySample(NamedTuple):
    """One picture and its annotated person; all coordinates count pixels from 0."""

    image: np.ndarray  # (H, W, 3), uint8, BGR
    joints: np.ndarray  # (16, 2), in MPII's order, inside the image or not
    visible: np.ndarray  # (16,), bool, inside the image, maybe behind another part of the body
    head_box: np.ndarray  # (2, 2), the corners (left, top) and (right, bottom)
    center: np.ndarray  # (2,), a rough centre of the person
    scale: float  # height of the person standing upright, in units of 200 pixels


def make_toy_dataset(
    root: str | os.PathLike, num_train: int = 1000, num_val: int = 250, seed: int = 0
) -> Path:
    """Writes the toy data set, or finds it written already.

    The same options give the same files, byte for byte. A set left unfinished is made anew; files
    of others are never touched.

    Args:
        root: Folder of the set: a new one, an empty one, or one with a set of the same options.
        num_train: Number of training images.
        num_val: Number of validation images.
        seed: Seed of all randomness, 0 or more.
    """
    root, options = Path(root), dict(num_train=num_train, num_val=num_val, seed=seed)
    for name, value in options.items():
        low, high = (0, 2**63 - 1) if name == 'seed' else (1, MAX_IMAGES)
        if not low <= value <= high:
            raise ACNNError(f'{name} must lie between {low} and {high}, but is {value}.')
    options = {'generator_version': GENERATOR_VERSION, **options}
    try:
        _claim_folder(root, options)
        if (root / HEAD_BOXES).is_file():
            print(f'The toy data set is already there: {root}')
        else:
            _write_dataset(root, options)
    except OSError as error:
        raise ACNNError(f'Cannot write the toy data set to {root}: {error.strerror}.') from error
    return root


def draw_person_image(rng: np.random.Generator) -> ToySample:
    """Draws one picture: clutter, fragments of other people, and one whole person."""
    width, height = rng.integers(*IMAGE_SIDES, size=2, endpoint=True)
    stature = np.clip(rng.uniform(*STATURES) * height, *STATURE_LIMITS)
    body = pose_body(rng, stature)
    joints = body.joints[:NUM_JOINTS, :2]
    low, high = joints.min(axis=0), joints.max(axis=0)
    free = np.array([width, height]) - (high - low)
    body = body.moved(rng.uniform(*PLACEMENT, size=2) * free - low)
    joints = body.joints[:NUM_JOINTS, :2]
    middle = (joints.min(axis=0) + joints.max(axis=0)) / 2

    image = _draw_background(rng, (height, width))
    _draw_distractors(rng, image, middle, stature)
    paint_parts(image, body_parts(body, dress(rng)))
    return ToySample(
        image=_photograph(rng, image),
        joints=joints,
        visible=((joints >= 0) & (joints <= (width - 1, height - 1))).all(axis=1),
        head_box=head_box(body),
        center=middle + stature * rng.normal(CENTER_OFFSET, CENTER_SPREAD),
        scale=float(stature / MPII_PIXELS),
    )


def _draw_background(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Returns a soft background of muted colours, uint8 BGR, of ``shape`` (H, W)."""

    def muted() -> np.ndarray:
        return random_colour(rng, (0.0, 0.4), (0.2, 0.95))

    cells = rng.integers(2, 9, size=2)
    clouds = muted() + rng.normal(0, 25, size=(*cells, 1)) + rng.normal(0, 8, size=(*cells, 3))
    image = cv2.resize(clouds, shape[::-1], interpolation=cv2.INTER_CUBIC)
    image = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(rng.integers(2, 7)):
        corners = rng.uniform(0, shape[::-1], size=2) + rng.normal(0, 35, size=(4, 2))
        radii = rng.choice((1.0, rng.uniform(4, 25)), size=4)
        paint = woven_paint(rng, muted(), muted())
        paint_shape(image, Shape(corners, radii, paint), edged=False)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 2.0))


def _draw_distractors(
    rng: np.random.Generator, image: np.ndarray, middle: np.ndarray, stature: float
) -> None:
    """Paints limb-like bars anywhere and fragments of people around ``middle`` into ``image``."""
    shape = image.shape[:2]
    tones = (*SKIN_TONES, *HAIR_TONES)
    for _ in range(rng.integers(1, 5)):
        start = rng.uniform(0, shape[::-1])
        end = start + rng.normal(0, 0.2 * stature, size=2)
        radii = stature * rng.uniform(0.015, 0.045, size=2)
        colour: tuple | np.ndarray = tones[rng.integers(len(tones))]
        if rng.random() < 0.5:
            colour = random_colour(rng, (0.3, 0.9), (0.3, 0.9))
        paint_shape(image, Shape(np.stack([start, end]), radii, plain_paint(colour)))
    for _ in range(rng.integers(1, 3)):
        anchor, regions = FRAGMENTS[rng.integers(len(FRAGMENTS))]
        body = pose_body(rng, stature * rng.uniform(0.8, 1.15))
        angle = rng.uniform(0, 2 * np.pi)
        away = np.array([np.cos(angle), np.sin(angle)]) * rng.uniform(*DISTRACTOR_DISTANCE)
        body = body.moved(middle + stature * away - body.joints[anchor, :2])
        parts = body_parts(body, dress(rng))
        paint_parts(image, [part for part in parts if part.region in regions])


def _photograph(rng: np.random.Generator, image: np.ndarray) -> np.ndarray:
    """Returns ``image`` as a camera takes it: lit differently, with noise of the sensor."""
    contrast, brightness = rng.uniform(0.75, 1.1), rng.uniform(-15, 15)
    grain = rng.integers(-5, 6, size=image.shape[:2], dtype=np.int16)
    lit = (contrast * np.arange(256) + brightness).astype(np.int16)[image]
    return np.clip(lit + grain[..., None], 0, 255).astype(np.uint8)


def _claim_folder(root: Path, options: dict[str, int]) -> None:
    """Makes ``root`` the folder of a set with ``options``, or raises if it is another's."""
    manifest = root / MANIFEST
    if manifest.is_file():
        found = read_json(manifest, 'name another folder')
        if found != options:
            raise ACNNError(
                f'{root} holds a toy data set with other options ({json.dumps(found)} instead of '
                f'{json.dumps(options)}); name another folder.'
            )
    elif root.is_dir() and any(root.iterdir()):
        raise ACNNError(f'{root} holds other files and no toy data set; name another folder.')
    else:
        root.mkdir(parents=True, exist_ok=True)
        write_whole(manifest, json.dumps(options, indent=2))


def _write_dataset(root: Path, options: dict[str, int]) -> None:
    """Draws and writes all images on all processors, then the annotations."""
    tasks = [
        (root / 'images', options['seed'], split, index)
        for split, name in enumerate(SPLITS)
        for index in range(options[f'num_{name}'])
    ]
    workers = min(os.cpu_count() or 1, len(tasks))
    with multiprocessing.Pool(workers, cv2.setNumThreads, (0,)) as pool:
        drawn = pool.imap(_write_image, tasks, chunksize=8)
        people = list(show_progress(drawn, 'Drawing toy people', total=len(tasks), unit='image'))
    train, val = people[: options['num_train']], people[options['num_train'] :]
    files: dict[str | Path, bytes | str] = {
        root / 'annotations' / f'mpii_{name}.json': json.dumps(list(map(to_entry, part)))
        for name, part in zip(SPLITS, (train, val))
    }
    write_together({**files, root / HEAD_BOXES: mat_bytes(ground_truth(val))})


def _write_image(task: tuple[Path, int, int, int]) -> Person:
    """Draws and writes an image, by the folder, the seed, the split and the index of it."""
    folder, *key = task
    sample = draw_person_image(np.random.default_rng(key))
    name = f'{key[1]}{key[2] + 1:08d}.jpg'  # MpiiDataset wants a number
    _, jpeg = cv2.imencode('.jpg', sample.image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    write_whole(folder / name, jpeg.tobytes())
    joints = np.where(sample.visible[:, None], sample.joints + 1, np.nan).round(4)
    return Person(name, joints, sample.center + 1, sample.scale, sample.head_box + 1)

"""Dresses and paints toy people.

A person is made of convex hulls of circles (a limb is the hull of two), painted from the farthest
to the nearest, so parts hide each other as real ones do.

Nothing in the picture marks a body side by its colour: mirroring the picture swaps left and right,
as flip augmentation does. The side follows from seeing the person from the front (face, collar,
zip) or from behind (hair, rucksack).
"""

from __future__ import annotations

import colorsys
from typing import NamedTuple

import cv2
import numpy as np

from .posture import BONES, HEAD_RADIUS, SIDES, Body, Joint

# Radii in statures; those of the limbs stand in `body_parts`.
NECK_RADIUS, SHOULDER_RADIUS, HIP_RADIUS = 0.03, 0.036, 0.048
CHEST_DEPTH = 0.05  # from the spine to the front, in statures

SKIN_TONES = ((180, 205, 240), (140, 175, 225), (95, 135, 190), (55, 85, 130))  # BGR
HAIR_TONES = ((25, 25, 30), (30, 50, 80), (60, 110, 160), (90, 190, 230), (150, 150, 150))  # BGR
PATTERNS = ('plain', 'plain', 'plain', 'stripes', 'checks')  # as often as they stand here
EDGE_SHADE = 0.5  # brightness of an outline, relative to its paint
SUBPIXEL_BITS = 4  # OpenCV draws at a sixteenth of a pixel
CIRCLE_ANGLES = np.linspace(0, 2 * np.pi, 16, endpoint=False)
UNIT_CIRCLE = np.stack([np.cos(CIRCLE_ANGLES), np.sin(CIRCLE_ANGLES)], axis=1)  # (16, 2)


class Paint(NamedTuple):
    """What a shape is filled with: one BGR colour, or two in stripes or checks."""

    colours: np.ndarray  # (2, 3), uint8, BGR
    pattern: str = 'plain'  # one of `PATTERNS`
    wave: np.ndarray = np.zeros(2)  # threads, of one colour each, per pixel along x and y

    def pixels(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Returns the colours, uint8 (h, w, 3), of the window of an image from low to high."""
        x, y = np.arange(low[0], high[0]), np.arange(low[1], high[1])[:, None]
        thread = np.zeros((len(y), len(x)), np.int32)
        if self.pattern != 'plain':
            thread += np.floor(x * self.wave[0] + y * self.wave[1]).astype(np.int32)
        if self.pattern == 'checks':
            thread += np.floor(y * self.wave[0] - x * self.wave[1]).astype(np.int32)
        return self.colours[thread & 1]


class Shape(NamedTuple):
    """The convex hull of circles: centres (n, 2 or 3) and radii (n,) in pixels, and its paint."""

    centres: np.ndarray
    radii: np.ndarray
    paint: Paint


class Part(NamedTuple):
    """A body part: its distance towards the camera in pixels, its region, its shapes in order."""

    depth: float
    region: str
    shapes: list[Shape]


class Outfit(NamedTuple):
    """The paints and the wear of a person."""

    skin: Paint
    hair: Paint
    shirt: Paint
    trousers: Paint
    shoes: Paint
    trim: Paint
    long_sleeves: bool
    long_trousers: bool
    long_hair: bool
    rucksack: bool


def random_colour(
    rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]
) -> np.ndarray:
    """Returns a uint8 BGR colour (3,) of any hue, its saturation and value within [0, 1] ranges."""
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    return (255 * np.array(rgb[::-1])).astype(np.uint8)


def plain_paint(colour: tuple | np.ndarray) -> Paint:
    """Returns a paint of one BGR ``colour`` (3,)."""
    return Paint(np.array([colour, colour], np.uint8))


EYE_PAINT, LIP_PAINT = plain_paint((20, 20, 20)), plain_paint((50, 40, 150))


def woven_paint(rng: np.random.Generator, colour: np.ndarray, other: np.ndarray) -> Paint:
    """Returns a paint in one or both of two BGR colours (3,): plain, striped or checked."""
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 8)
    return Paint(
        colours=np.stack([colour, other]),
        pattern=PATTERNS[rng.integers(len(PATTERNS))],
        wave=np.array([np.cos(angle), np.sin(angle)]) / period,
    )


def paint_shape(image: np.ndarray, shape: Shape, edged: bool = True) -> None:
    """Paints ``shape`` into ``image``, uint8 (H, W, 3), in place and with soft edges.

    A circle centred on (u, v) is painted around the centre of the pixel in column u and row v,
    both counted from 0. The outline of an edged one is in a darker shade of its paint.
    """
    circles = shape.centres[:, None, :2] + shape.radii[:, None, None] * UNIT_CIRCLE
    hull = cv2.convexHull(circles.reshape(-1, 2).astype(np.float32))[:, 0]
    low = np.maximum(np.floor(hull.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(hull.max(axis=0)).astype(int) + 2, image.shape[1::-1])
    if (low >= high).any():
        return
    window = np.s_[low[1] : high[1], low[0] : high[0]]
    points = np.rint((hull - low) * 2**SUBPIXEL_BITS).astype(np.int32)
    mask = np.zeros(image[window].shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, points, (255,), cv2.LINE_AA, SUBPIXEL_BITS)
    cover = mask[..., None] / np.float32(255)
    mixed = image[window] + (shape.paint.pixels(low, high) - np.float32(image[window])) * cover
    drawn: np.ndarray = np.rint(mixed).astype(np.uint8)
    if edged:
        edge = (EDGE_SHADE * shape.paint.colours[0]).tolist()
        cv2.polylines(drawn, [points], True, edge, 1, cv2.LINE_AA, SUBPIXEL_BITS)
    image[window] = drawn


def dress(rng: np.random.Generator) -> Outfit:
    """Draws a random outfit."""

    def cloth() -> Paint:
        colour = random_colour(rng, (0.45, 1.0), (0.35, 1.0))
        other = random_colour(rng, (0.0, 0.6), (0.1, 1.0))
        return woven_paint(rng, colour, other)

    long_sleeves, long_trousers, long_hair, rucksack = rng.random(4) < (0.5, 0.65, 0.4, 0.4)
    return Outfit(
        skin=plain_paint(SKIN_TONES[rng.integers(len(SKIN_TONES))]),
        hair=plain_paint(HAIR_TONES[rng.integers(len(HAIR_TONES))]),
        shirt=cloth(),
        trousers=cloth(),
        shoes=plain_paint(random_colour(rng, (0.0, 0.5), (0.05, 0.9))),
        trim=plain_paint(random_colour(rng, (0.6, 1.0), (0.1, 0.5))),
        long_sleeves=long_sleeves,
        long_trousers=long_trousers,
        long_hair=long_hair,
        rucksack=rucksack,
    )


def body_parts(body: Body, outfit: Outfit) -> list[Part]:
    """Returns the painted parts of a person, the farthest first.

    Their regions are 'head', 'torso', 'left arm', 'right arm', 'left leg' and 'right leg'.
    """
    parts = [*_torso(body, outfit), *_head(body, outfit)]
    for name, side in zip(('right', 'left'), SIDES):
        hip, knee, ankle, toes, shoulder, elbow, wrist, hand = body.joints[list(side[1:])]
        lower_leg = outfit.trousers if outfit.long_trousers else outfit.skin
        forearm = outfit.shirt if outfit.long_sleeves else outfit.skin
        for region, start, end, radii, paint in (
            ('leg', hip, knee, (HIP_RADIUS, 0.036), outfit.trousers),
            ('leg', knee, ankle, (0.034, 0.022), lower_leg),
            ('leg', ankle, toes, (0.024, 0.018), outfit.shoes),
            ('arm', shoulder, elbow, (SHOULDER_RADIUS, 0.026), outfit.shirt),
            ('arm', wrist, hand, (0.018, 0.024), outfit.skin),
            ('arm', elbow, wrist, (0.025, 0.019), forearm),
        ):
            limb = _shape(body, [start, end], radii, paint)
            parts.append(Part((start[2] + end[2]) / 2, f'{name} {region}', [limb]))
    return sorted(parts, key=lambda part: part.depth)


def _shape(body: Body, centres: list[np.ndarray], radii: tuple[float, ...], paint: Paint) -> Shape:
    """Returns the hull of circles at ``centres`` in pixels, with radii in statures."""
    pixels = np.broadcast_to(body.stature * np.asarray(radii, float), len(centres))
    return Shape(np.stack(centres), pixels, paint)


def _torso(body: Body, outfit: Outfit) -> list[Part]:
    """Returns the trunk in its shirt, with collar and zip if seen from the front, and rucksack."""
    corners = [Joint.R_SHOULDER, Joint.L_SHOULDER, Joint.L_HIP, Joint.R_HIP]
    trunk = list(body.joints[corners])
    height = np.linalg.norm(body.joints[Joint.THORAX] - body.joints[Joint.PELVIS])
    height /= body.stature

    def place(left: float, up: float, front: float) -> np.ndarray:
        """From fractions of the trunk's height, of the stature and of the chest's depth."""
        offset = np.array([left, -height * (1 - up), front * CHEST_DEPTH])
        return body.joints[Joint.THORAX] + body.stature * body.trunk @ offset

    radii = (SHOULDER_RADIUS, SHOULDER_RADIUS, HIP_RADIUS, HIP_RADIUS)
    shapes = [
        _shape(body, trunk[2:], (HIP_RADIUS,), outfit.trousers),
        _shape(body, trunk, (*radii[:2], 0.035, 0.035), outfit.shirt),
    ]
    if body.trunk[2, 2] > 0:
        collar = [place(-0.04, 1.1, 1), place(0.04, 1.1, 1), place(0, 0.8, 1)]
        shapes.append(_shape(body, collar, (0.006,), outfit.skin))
        shapes.append(_shape(body, [place(0, 0.78, 1), place(0, 0, 1)], (0.008,), outfit.trim))
        for left in (-0.075, 0.075) if outfit.rucksack else ():
            strap = [place(left, 1.08, 0.5), place(left, 0.5, 1)]
            shapes.append(_shape(body, strap, (0.012,), outfit.trim))
    depth = np.mean(trunk, axis=0)[2] - SHOULDER_RADIUS * body.stature / 2
    parts = [Part(depth, 'torso', shapes)]
    if outfit.rucksack:
        sack = [place(left, up, -1.6) for left in (-0.06, 0.06) for up in (0.35, 0.95)]
        shape = _shape(body, sack, (0.025,), outfit.trim)
        parts.append(Part(np.mean(sack, axis=0)[2], 'torso', [shape]))
    return parts


def _head(body: Body, outfit: Outfit) -> list[Part]:
    """Returns neck, hair and head: a face if it looks to the camera, hair if it looks away."""
    thorax, neck, top = body.joints[[Joint.THORAX, Joint.UPPER_NECK, Joint.HEAD_TOP]]
    middle = (neck + top) / 2

    def place(left: float, up: float, front: float) -> np.ndarray:
        """From multiples of the radius of the head."""
        offset = HEAD_RADIUS * np.array([left, up, front])
        return middle + body.stature * body.head @ offset

    stretch = BONES['head'] / 2 / HEAD_RADIUS - 1  # the head is longer than it is wide
    ends = [place(0, stretch, 0), place(0, -stretch, 0)]
    skull = _shape(body, ends, (HEAD_RADIUS,), outfit.hair)
    jaw = [place(0, 0, 0.35), place(0, -0.55, 0.4)]
    face = _shape(body, jaw, (0.8 * HEAD_RADIUS, 0.6 * HEAD_RADIUS), outfit.skin)
    eyes = [_shape(body, [place(left, 0.1, 0.95)], (0.007,), EYE_PAINT) for left in (-0.38, 0.38)]
    mouth = _shape(body, [place(-0.2, -0.6, 0.9), place(0.2, -0.6, 0.9)], (0.007,), LIP_PAINT)
    shapes = [skull, face, *eyes, mouth] if body.head[2, 2] > 0 else [face, skull]

    lift = 2 * HEAD_RADIUS * body.stature  # a head stands out over the trunk and the shoulders
    throat = _shape(body, [thorax, middle], (NECK_RADIUS,), outfit.skin)
    parts = [Part(neck[2], 'head', [throat]), Part(middle[2] + lift / 2, 'head', shapes)]
    if outfit.long_hair:
        mane = [place(0, 0.2, -0.2), place(-0.6, -1.5, -0.8), place(0.6, -1.5, -0.8)]
        radii = (HEAD_RADIUS * 1.08, HEAD_RADIUS / 2, HEAD_RADIUS / 2)
        away = np.sign(body.head[2, 2])  # behind the head, but over the back
        hair = _shape(body, mane, radii, outfit.hair)
        parts.append(Part(middle[2] - away * lift, 'head', [hair]))
    return parts


def paint_parts(image: np.ndarray, parts: list[Part]) -> None:
    """Paints body parts into ``image``, uint8 BGR (H, W, 3), in place and in their order."""
    for part in parts:
        for shape in part.shapes:
            paint_shape(image, shape)

"""Masks lie where they belong, to the pixel."""

from __future__ import annotations

from acnn_mmpose.visualization import OUTSIDE, AttentionVisualizer, crop_person, place_stage

import cv2
import numpy as np
import pytest
from mmpose.datasets.transforms import TopdownAffine

CROPS = {
    'inside': ((300.0, 200.0), (256.0, 256.0)),
    'large, fractional': ((310.3, 215.8), (391.7, 391.7)),
    'small': ((222.2, 111.1), (77.0, 77.0)),
    'over the left border': ((60.0, 200.0), (300.0, 300.0)),
    'over the lower right border': ((600.0, 380.0), (420.0, 420.0)),
}
SHAPE = (400, 640)


def inside_square(corners: np.ndarray, shape: tuple[int, int], margin: float) -> np.ndarray:
    """Say which pixels lie inside a square shrunk (margin > 0) or grown by ``margin`` pixels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    points = np.stack([x, y], axis=-1)
    inside = np.ones(shape, bool)
    for start, end in zip(corners, np.roll(corners, -1, axis=0)):
        along = (end - start) / np.linalg.norm(end - start)
        inward = np.array([-along[1], along[0]])
        inside &= (points - start) @ inward > margin
    return inside


def assert_square_painted(picture: np.ndarray, untouched: np.ndarray, corners: np.ndarray) -> None:
    """Every pixel 1 px inside the square is painted, every pixel 1 px outside is not."""
    painted = (picture != untouched).any(axis=-1)
    must = inside_square(corners, painted.shape, margin=1)
    may = inside_square(corners, painted.shape, margin=-1)
    assert must.sum() > 100
    assert painted[must].all()
    assert not painted[~may].any()


@pytest.mark.parametrize('mode', ['attention', 'kept'])
@pytest.mark.parametrize('crop', CROPS.values(), ids=CROPS.keys())
def test_a_square_is_found_in_the_image_within_a_pixel(make_person, square_corners, crop, mode):
    image = np.full((*SHAPE, 3), 200, np.uint8)
    picture = AttentionVisualizer(mode=mode).draw_mask(image, make_person(*crop), 1)
    assert_square_painted(picture, image, square_corners(*crop))


@pytest.mark.parametrize('crop', CROPS.values(), ids=CROPS.keys())
def test_a_square_is_found_in_the_crop_within_a_pixel(make_person, square_corners, crop):
    image = np.full((*SHAPE, 3), 200, np.uint8)
    cut, person = crop_person(image, make_person(*crop), 0, 256)
    cut[:] = 200  # also beyond the image's border
    picture = AttentionVisualizer().draw_mask(cut, person, 1)
    assert_square_painted(picture, cut, square_corners((128, 128), (256, 256)))


def test_corners_in_pixels(make_person):
    """A crop that shows the image pixel by pixel, with cells of 8 pixels.

    A cell's edge lies between two pixels; OpenCV 4 and 5 round it to different ones.
    """
    image = np.full((*SHAPE, 3), 200, np.uint8)
    person = make_person((128 + 40, 128 + 24), (256, 256))
    painted = (AttentionVisualizer().draw_mask(image, person, 1) != image).any(axis=-1)
    rows, columns = np.nonzero(painted)
    found = [columns.min(), columns.max(), rows.min(), rows.max()]
    wanted = [40 + 8 * 8 - 4, 40 + 20 * 8 - 5, 24 + 5 * 8 - 4, 24 + 12 * 8 - 5]
    np.testing.assert_allclose(found, wanted, atol=1)


@pytest.mark.parametrize('crop', CROPS.values(), ids=CROPS.keys())
def test_the_crop_is_the_networks_input(make_person, crop):
    image = cv2.GaussianBlur(np.random.randint(0, 256, (*SHAPE, 3), dtype=np.uint8), (9, 9), 3)
    center, scale = crop
    results = TopdownAffine(input_size=(256, 256))(
        dict(
            img=image,
            bbox_center=np.float32([center]),
            bbox_scale=np.float32([scale]),
        )
    )
    cut, person = crop_person(image, make_person(*crop), 0, 256)
    np.testing.assert_allclose(cut.astype(int), results['img'], atol=1)  # rounding
    np.testing.assert_allclose(person.keypoints, 128, atol=0.01)
    np.testing.assert_allclose(person.stage_keypoints, 128, atol=0.01)


def test_outside_the_crop_there_is_no_mask(make_person):
    placed = place_stage(make_person((100, 100), (64, 64)), 1, SHAPE)
    assert placed[100, 60] == OUTSIDE
    assert placed[100, 140] == OUTSIDE
    assert placed[69, 69] == 1
    assert placed[131, 131] == 1  # the crop's last pixel


def test_what_anybody_keeps_is_kept(make_person):
    one = make_person((200, 200), (256, 256))
    other = make_person((200, 200), (256, 256))
    other.attention_masks = 1 - one.attention_masks
    both = one.cat([one, other])
    assert (place_stage(both, 1, SHAPE)[80:320, 80:320] == 1).all()

"""Cutting a person out of a photograph, as MMPose does it but without its slow parts."""

from __future__ import annotations

import cv2
import numpy as np
from mmpose.datasets.transforms import TopdownAffine
from mmpose.registry import TRANSFORMS
from mmpose.structures.bbox import get_udp_warp_matrix, get_warp_matrix
from torch.utils.data import get_worker_info

from ..allocator import keep_freed_memory
<<<<<<< HEAD

MARGIN = 2  # px beyond the outermost sampling points; linear interpolation reads 1


class Rectangle(NamedTuple):
    """A rectangle of whole pixels; right and bottom are outside it."""

    left: int
    top: int
    right: int
    bottom: int

    def clip(self, shape: Sequence[int]) -> Rectangle:
        """Cut off what is outside an image of this height and width."""
        height, width = shape
        left, right = np.clip([self.left, self.right], 0, width).tolist()
        top, bottom = np.clip([self.top, self.bottom], 0, height).tolist()
        return Rectangle(left, top, right, bottom)

    def contains(self, other: Rectangle) -> bool:
        """Whether no pixel of the other one is outside this one."""
        return (
            self.left <= other.left
            and self.top <= other.top
            and self.right >= other.right
            and self.bottom >= other.bottom
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return self.bottom - self.top, self.right - self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """Indices into an image."""
        return slice(self.top, self.bottom), slice(self.left, self.right)


class LazyImage(Protocol):
    """A photograph whose pixels are loaded when it is known which are needed."""

    def load(self, rectangle: Rectangle, shrink: float) -> tuple[np.ndarray, int]:
        """Load at least a part of the photograph.

        Args:
            rectangle: The pixels that are needed, within the photograph.
            shrink: How many of the photograph's pixels there are to one of the crop's, along x.

        Returns:
            The photograph (H', W', 3), BGR, uint8, in which only the rectangle matters; and how
            many of its pixels, along x and along y, are one of the array: H' = ceil(H / step).
        """
=======
from .loading import read_image
from .region import flip_region, sampled_region
>>>>>>> 91f57a7 (The crop cache is an argument of the loading transform; configs are not edited by position)


@TRANSFORMS.register_module()
class TopdownCrop(TopdownAffine):
    """MMPose's :class:`TopdownAffine`, fast on flipped images and able to take a crop from disk.

    :class:`RandomFlip` gives a view whose columns run backwards, on which ``cv2.warpAffine`` takes
    many times as long as on a copy made by ``cv2.flip``. The output is the same to the bit.

    Where :class:`LoadReadableImage` found a crop of the person (``cached_crop``), the photograph is
    decoded only if the crop does not reach as far as the scale and the rotation that were drawn.

    Keys and arguments are those of :class:`TopdownAffine`.
    """

    def transform(self, results: dict) -> dict:
        """Cut out the person and transform the joints."""
        if get_worker_info() is not None:  # one of several, so within bounds
            keep_freed_memory(total=256 << 20, largest=32 << 20)
        image, flip = undo_flip(results['img'])
<<<<<<< HEAD
        step, full_shape = 1, image.shape[:2]
        late = results.pop('lazy_image', None)
        if late is not None:
            matrix = self._matrix(results)
            rectangle = flip_rectangle(sampled_rectangle(matrix, self.input_size), full_shape, flip)
            image, step = late.load(rectangle.clip(full_shape), shrinkage(matrix))
        if flip is not None:
            image = cv2.flip(image, flip)
        if step == 1:
            results['img'] = image
            return super().transform(results)
        results['img'] = []  # MMPose warps every image of a list: here only the joints
        results = super().transform(results)
        matrix = np.matmul(matrix, to_full_size(image.shape[:2], full_shape, step, flip))
        results['img'] = cv2.warpAffine(image, matrix, self.input_size, flags=cv2.INTER_LINEAR)
        return results
=======
        crop = results.pop('cached_crop', None)
        if crop is not None:
            region = sampled_region(self._matrix(results), self.input_size)
            image = crop.load(flip_region(region, crop.shape, flip).clip(crop.shape))
            if image is None:
                image = read_image(results['img_path'])
        results['img'] = image if flip is None else cv2.flip(image, flip)
        return super().transform(results)
>>>>>>> 91f57a7 (The crop cache is an argument of the loading transform; configs are not edited by position)

    def _matrix(self, results: dict) -> np.ndarray:
        """Return what takes the photograph's pixels to the crop's, (2, 3), as MMPose does."""
        width, height = self.input_size
        (scale,) = self._fix_aspect_ratio(results['bbox_scale'], width / height)
        (center,) = results['bbox_center']
        rotation = results['bbox_rotation'][0] if 'bbox_rotation' in results else 0.0
        get_matrix = get_udp_warp_matrix if self.use_udp else get_warp_matrix
        return get_matrix(center, scale, rotation, output_size=self.input_size)


def undo_flip(view: np.ndarray) -> tuple[np.ndarray, int | None]:
    """Return the image that a flipped view shows, and cv2's code of the flip; None for no flip."""
    flip_y, flip_x = (stride < 0 for stride in view.strides[:2])
    if not (flip_x or flip_y):
        return view, None
    image = view[:: -1 if flip_y else 1, :: -1 if flip_x else 1]
    return image, -1 if flip_x and flip_y else int(flip_x)
<<<<<<< HEAD


def sampled_rectangle(matrix: np.ndarray, size: tuple[int, int]) -> Rectangle:
    """Find the pixels that warping reads.

    Args:
        matrix: (2, 3), from the image to the warped image.
        size: Width and height of the warped image.

    Returns:
        The rectangle, which may lie outside the image.
    """
    width, height = size
    corners = np.array([[(0, 0), (width, 0), (0, height), (width, height)]], dtype=np.float64)
    (points,) = cv2.transform(corners, cv2.invertAffineTransform(matrix))
    left, top = np.floor(points.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(points.max(axis=0)).astype(int).tolist()
    return Rectangle(left - MARGIN, top - MARGIN, right + MARGIN, bottom + MARGIN)


def flip_rectangle(rectangle: Rectangle, shape: Sequence[int], flip: int | None) -> Rectangle:
    """Return where a rectangle of the flipped image is in the image; ``flip`` is cv2's code."""
    height, width = shape
    left, top, right, bottom = rectangle
    if flip in (1, -1):
        left, right = width - right, width - left
    if flip in (0, -1):
        top, bottom = height - bottom, height - top
    return Rectangle(left, top, right, bottom)


def shrinkage(matrix: np.ndarray) -> float:
    """Return how many pixels become one, along an axis; less than 1 if warping enlarges."""
    return 1 / math.sqrt(abs(np.linalg.det(matrix[:, :2])))


def to_full_size(
    reduced: Sequence[int], full: Sequence[int], step: int, flip: int | None
) -> np.ndarray:
    """Return what takes a reduced image's pixels to those of the full one.

    Pixel i of the reduced image is the mean of pixels ``step * i`` to ``step * i + step - 1``, so
    its centre is at ``step * i + (step - 1) / 2``. If the image was flipped, columns count from the
    other side, where the last one may stand for less than ``step`` pixels.

    Args:
        reduced: Height and width of the reduced image.
        full: Height and width of the full one.
        step: Pixels of the full one per pixel of the reduced one, along an axis.
        flip: cv2's code of the flip, if both were flipped.

    Returns:
        (3, 3)
    """
    (height, width), (full_height, full_width) = reduced, full
    x = y = (step - 1) / 2
    if flip in (1, -1):
        x = full_width - 1 - step * (width - 1) - x
    if flip in (0, -1):
        y = full_height - 1 - step * (height - 1) - y
    return np.array([[step, 0, x], [0, step, y], [0, 0, 1]], dtype=np.float64)
=======
>>>>>>> 91f57a7 (The crop cache is an argument of the loading transform; configs are not edited by position)

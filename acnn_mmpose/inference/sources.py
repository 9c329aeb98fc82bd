"""Where images come from: a file, a folder, a video, a webcam."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..datasets import UnreadableImageError, read_image
from ..errors import ACNNError
from ..files import is_utf8

MAX_FPS = 1000  # more is a damaged header

# what Python knows only where the system has tables of types
mimetypes.add_type('image/webp', '.webp')
mimetypes.add_type('video/x-matroska', '.mkv')


@dataclass(frozen=True)
class Frame:
    """One image of a source.

    Attributes:
        name: File name; of a webcam ``webcam`` and its index.
        index: Number of the frame in a video, from 0; None for an image file.
        image: (H, W, 3), BGR, uint8; None if it can't be read.
        problem: Why it can't be read.
    """

    name: str
    index: int | None
    image: np.ndarray | None
    problem: str = ''


@dataclass(frozen=True)
class Source:
    """Images, and what is known about them.

    Attributes:
        frames: The images.
        count: How many there are; None if nobody knows.
        files: Where they are read from; none for a webcam.
        fps: Frames per second of a video or webcam; None for image files.
    """

    frames: Iterator[Frame]
    count: int | None
    files: Sequence[Path] = ()
    fps: float | None = None


def open_source(where: str) -> Source:
    """Open an image, a folder of images, a video, or a webcam.

    Args:
        where: A path, or the index of a webcam.

    Raises:
        ACNNError: If nothing is given, there is no such file or camera, the folder holds no image,
            or the video no frame.
    """
    if not where:  # which Path takes for the current folder
        raise ACNNError('the source is empty: give an image, a folder, a video or a webcam index')
    path = Path(where)
    files = sorted(f for f in path.iterdir() if _kind(f) == 'image') if path.is_dir() else [path]
    if not files:
        raise ACNNError(f'{where} holds no image files: give a folder of jpg or png files')
    if not path.exists():
        if where.isdecimal():
            return _open_video(
                int(where), f'webcam{where}', 'connect it, or give the index of another one'
            )
        raise ACNNError(
            f'{where} does not exist: give an image, a folder, a video or a webcam index'
        )
    if _kind(files[0]) != 'video':
        return Source(_read_files(files), len(files), files)
    if not is_utf8(path):  # OpenCV would end the process
        raise ACNNError(f'{where} is a video whose path OpenCV can not take: rename it')
    remedy = 'convert it to mp4, or give its frames as a folder of images'
    return replace(_open_video(where, path.name, remedy), files=files)


def _kind(path: Path) -> str:
    """Say what a file is by its name: ``'image'``, ``'video'``, something else or ``''``."""
    return (mimetypes.guess_type(path.name)[0] or '').partition('/')[0]


def _read_files(files: Sequence[Path]) -> Iterator[Frame]:
    for file in files:
        try:
            yield Frame(file.name, None, read_image(file))
        except UnreadableImageError as error:
            yield Frame(file.name, None, None, f'{error}')


def _open_video(where: str | int, name: str, remedy: str) -> Source:
    capture = cv2.VideoCapture(where)
    if not capture.isOpened():
        raise ACNNError(f'{name} can not be opened: {remedy}')
    found, first = capture.read()
    if not found:
        raise ACNNError(f'{name} has no frame that can be read: {remedy}')
    announced = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    count = announced if announced > 0 else None  # unknown for webcams
    fps = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < fps < MAX_FPS:  # unknown, or not a number
        fps = 25.0
    return Source(_read_video(capture, name, first, count), count, fps=fps)


def _read_video(
    capture: cv2.VideoCapture, name: str, first: np.ndarray, count: int | None
) -> Iterator[Frame]:
    index, found, image = 0, True, first
    while found:
        yield Frame(name, index, image)
        index += 1
        found, image = capture.read()
    capture.release()
    if count is not None and index < count:
        problem = f'{name} announces {count} frames, but only {index} can be read'
        yield Frame(name, index, None, problem)

"""Where images come from: a file, a folder, a video, a webcam."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from ..datasets import UnreadableImageError, read_image
from ..errors import ACNNError
from ..files import is_utf8

MAX_FPS = 1000  # more is a damaged header
UNREADABLE = np.empty((0, 0, 3), np.uint8)

# what Python knows only where the system has tables of types
mimetypes.add_type('image/webp', '.webp')
mimetypes.add_type('video/x-matroska', '.mkv')


@dataclass(frozen=True)
class Frame:
    """One image of a source."""

    name: str  # of its file; of a webcam 'webcam' and its index
    index: int | None  # in a video, from 0
    image: np.ndarray  # (H, W, 3), BGR, uint8; empty if it can't be read
    problem: str = ''  # why it can't be read


@dataclass(frozen=True)
class Source:
    """Images, and what is known about them."""

    frames: Iterator[Frame]
    count: int | None  # None if nobody knows
    files: Sequence[Path] = ()  # where they are read from; none for a webcam
    fps: float | None = None  # None for image files


def open_source(where: str) -> Source:
    """Open an image, a folder of images, a video, or the webcam of an index.

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
    if not path.exists() and where.isdecimal():
        remedy = 'connect it, or give the index of another one'
        return _open_video(int(where), f'webcam{where}', remedy)
    if not path.exists():
        raise ACNNError(
            f'{where} does not exist: give an image, a folder, a video or a webcam index'
        )
    if _kind(files[0]) != 'video':
        return Source(_read_files(files), len(files), files)
    if not is_utf8(path):  # OpenCV would end the process
        raise ACNNError(f'{where} is a video whose path OpenCV can not take: rename it')
    remedy = 'convert it to mp4, or give its frames as a folder of images'
    return _open_video(where, path.name, remedy, files)


def _kind(path: Path) -> str:
    """Say what a file is by its name: ``'image'``, ``'video'``, something else or ``''``."""
    return (mimetypes.guess_type(path.name)[0] or '').partition('/')[0]


def _read_files(files: Sequence[Path]) -> Iterator[Frame]:
    for file in files:
        try:
            yield Frame(file.name, None, read_image(file))
        except UnreadableImageError as error:
            yield Frame(file.name, None, UNREADABLE, f'{error}')


def _open_video(where: str | int, name: str, remedy: str, files: Sequence[Path] = ()) -> Source:
    capture = cv2.VideoCapture(where)
    found, first = capture.read()
    if not found:
        raise ACNNError(f'{name} has no frame that can be read: {remedy}')
    announced = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    count = announced if announced > 0 else None  # unknown for webcams
    fps = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < fps < MAX_FPS:  # unknown, or not a number
        fps = 25.0
    return Source(_read_video(capture, name, first, count), count, files, fps)


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
        yield Frame(name, index, UNREADABLE, problem)

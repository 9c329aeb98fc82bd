"""Where images come from: a file, a folder, a video, a webcam."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from ..datasets import UnreadableImageError, read_image
from ..errors import ACNNError

MAX_FPS = 1000  # more is a damaged header

# what Python knows only where the system has tables of types
mimetypes.add_type('image/webp', '.webp')
mimetypes.add_type('video/x-matroska', '.mkv')


@dataclass(frozen=True)
class Frame:
    """One image of a source.

    Attributes:
        name: File name; of a video or webcam that of the whole.
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
        fps: Frames per second of a video or webcam; None for image files.
        name: Of the file, folder or camera.
        folder: Where the files lie; None for a webcam.
    """

    frames: Iterator[Frame]
    count: int | None
    fps: float | None
    name: str
    folder: Path | None = None


def open_source(where: str) -> Source:
    """Open an image, a folder of images, a video, or a webcam.

    Args:
        where: A path, or the index of a webcam.

    Raises:
        ACNNError: If there is no such file or camera, the folder holds no image, or the video no
            frame.
    """
    path = Path(where)
    if path.is_dir():
        files = sorted(file for file in path.iterdir() if _kind(file) == 'image')
        if not files:
            raise ACNNError(f'{where} holds no image files: give a folder of jpg or png files')
        return Source(_read_files(files), len(files), None, path.name, path)
    if path.is_file():
        if _kind(path) != 'video':
            return Source(_read_files([path]), 1, None, path.name, path.parent)
        return replace(_open_video(where, path.name), folder=path.parent)
    if where.isdigit():
        return _open_video(int(where), f'webcam{where}')
    raise ACNNError(f'{where} does not exist: give an image, a folder, a video or a webcam index')


def _kind(path: Path) -> str:
    """Say what a file is by its name: ``'image'``, ``'video'``, something else or ``''``."""
    return (mimetypes.guess_type(path.name)[0] or '').partition('/')[0]


def _read_files(files: list[Path]) -> Iterator[Frame]:
    for file in files:
        try:
            yield Frame(file.name, None, read_image(file))
        except UnreadableImageError as error:
            yield Frame(file.name, None, None, f'{error}')


def _open_video(where: str | int, name: str) -> Source:
    capture = cv2.VideoCapture(where)
    if not capture.isOpened():
        raise ACNNError(
            f'{name} can not be opened as a video: convert it to mp4, or give its frames as a '
            'folder of images'
        )
    found, first = capture.read()
    if not found:
        raise ACNNError(f'{name} has no frame that can be read: convert it to mp4')
    announced = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    count = announced if announced > 0 else None  # unknown for webcams
    fps = capture.get(cv2.CAP_PROP_FPS)
    if not 0 < fps < MAX_FPS:  # unknown, or not a number
        fps = 25.0
    return Source(_read_video(capture, name, first, count), count, fps, name)


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

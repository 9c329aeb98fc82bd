"""Where pictures go: files beside each other, or a video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..errors import ACNNError
from ..files import make_folder, partial_name, write_picture
from ..visualization.board import fit
from .sources import Frame, Source


class FileWriter:
    """Writes each picture to a file with the image's name.

    Args:
        folder: Where to; files of a kind that OpenCV does not write become png.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        """Write a picture, RGB.

        Raises:
            ACNNError: If it can't be written.
        """
        path = self.folder / frame.name
        if not cv2.haveImageWriter(str(path)):
            path = path.with_name(f'{path.name}.png')
        write_picture(path, picture)

    def close(self) -> None:
        """Do nothing: every file is complete."""


class VideoWriter:
    """Writes pictures into an mp4 whose size is the first picture's; larger ones are shrunk.

    The file has its name once it is whole.

    Args:
        path: The file.
        fps: Frames per second.
    """

    def __init__(self, path: Path, fps: float) -> None:
        self.path, self.fps, self.count = path, fps, 0
        self.writer: cv2.VideoWriter | None = None

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        """Append a picture, RGB."""
        if self.writer is None:
            height, width = picture.shape[:2]
            self.size = width + width % 2, height + height % 2  # codecs want even sizes
            codec = cv2.VideoWriter.fourcc(*'mp4v')
            self.partial = partial_name(self.path).with_suffix('.partial.mp4')
            self.writer = cv2.VideoWriter(str(self.partial), codec, self.fps, self.size)
            if not self.writer.isOpened():
                raise ACNNError(f'{self.path} can not be written as a video of size {self.size}')
        self.writer.write(np.ascontiguousarray(fit(picture, self.size)[..., ::-1]))
        self.count += 1

    def close(self) -> None:
        """Finish the file.

        Raises:
            ACNNError: If it can't be finished, as on a full disk.
        """
        if self.writer is None:
            return
        self.writer.release()
        if cv2.VideoCapture(str(self.partial)).get(cv2.CAP_PROP_FRAME_COUNT) != self.count:
            self.partial.unlink(missing_ok=True)
            raise ACNNError(f'{self.path} could not be written: make room, or choose --out-dir')
        self.partial.replace(self.path)


def open_writer(source: Source, folder: str) -> FileWriter | VideoWriter:
    """Make the folder, and what writes the pictures of a source to it.

    Raises:
        ACNNError: If the folder can't be made or written, or is that of the source, whose files the
            pictures would replace.
    """
    target = make_folder(folder, 'the output folder', 'choose another one with --out-dir')
    if source.folder is not None and target.resolve() == source.folder.resolve():
        raise ACNNError(
            f'{folder} is the folder of the input, whose files would be overwritten: choose '
            'another one with --out-dir'
        )
    if source.fps is None:
        return FileWriter(target)
    return VideoWriter(target / f'{Path(source.name).stem}.mp4', source.fps)

"""Where pictures go: files beside each other, or a video."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from ..errors import ACNNError
from ..files import is_utf8, make_folder, partial_name, write_picture
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
        """Write a picture, RGB."""
        path = self.folder / frame.name
        if not (is_utf8(path.suffix) and cv2.haveImageWriter(f'x{path.suffix}')):
            path = path.with_name(f'{path.name}.png')
        write_picture(path, picture)

    def close(self) -> None:
        """Do nothing: every file is complete."""


class VideoWriter:
    """Writes pictures into an mp4 whose size is the first picture's; larger ones are shrunk.

    The file has its name once it is whole. What can't be written is an ACNNError.
    """

    def __init__(self, folder: Path, fps: float) -> None:
        if not is_utf8(folder):  # OpenCV would end the process
            raise ACNNError(f'{folder} is a path OpenCV can not take: choose another --out-dir')
        self.folder, self.fps, self.count = folder, fps, 0
        self.writer: cv2.VideoWriter | None = None

    def write(self, frame: Frame, picture: np.ndarray) -> None:
        """Append a picture, RGB."""
        if self.writer is None:
            self.writer = self._begin(frame, *picture.shape[:2])
        self.writer.write(np.ascontiguousarray(fit(picture, self.size)[..., ::-1]))
        self.count += 1

    def _begin(self, frame: Frame, height: int, width: int) -> cv2.VideoWriter:
        self.size = width + width % 2, height + height % 2  # codecs want even sizes
        self.path = self.folder / f'{Path(frame.name).stem}.mp4'
        try:
            self.partial = partial_name(self.path, '.partial.mp4')
        except OSError as error:
            raise ACNNError(
                f'{self.path} could not be written ({error.strerror}): remove it, or choose '
                'another --out-dir'
            ) from error
        codec = cv2.VideoWriter.fourcc(*'mp4v')
        writer = cv2.VideoWriter(str(self.partial), codec, self.fps, self.size)
        if not writer.isOpened():
            raise ACNNError(
                f'{self.path} can not be written as a video of size {self.size}: give its frames '
                'as a folder of images'
            )
        return writer

    def close(self) -> None:
        """Finish the file, if it was begun; on a full disk OpenCV says nothing."""
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
        ACNNError: If the folder can't be made or written, or holds files of the source, which the
            pictures would replace.
    """
    target = make_folder(folder, 'the output folder', 'choose another one with --out-dir')
    for file in source.files:
        # a link is not written through, but what it leads to may lie in the folder
        if target.resolve() in (file.parent.resolve(), file.resolve().parent):
            raise ACNNError(
                f'{folder} holds the input {file.name}, which would be overwritten: choose '
                'another one with --out-dir'
            )
    return FileWriter(target) if source.fps is None else VideoWriter(target, source.fps)

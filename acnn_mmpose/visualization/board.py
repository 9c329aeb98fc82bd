"""Boards: rows of pictures with a title above each, legible when shown 880 pixels wide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np
from matplotlib.font_manager import findfont
from PIL import Image, ImageDraw, ImageFont

WIDTH = 1760  # twice a README's width
GAP = 8
TITLE_HEIGHT = 34
FONT_SIZE = 23
INK = (20, 20, 20)


class Tile(NamedTuple):
    """A picture (H, W, 3), RGB, uint8, of a board, and its title, one short line."""

    image: np.ndarray
    title: str = ''


def compose(rows: Sequence[Sequence[Tile | None]], columns: int) -> np.ndarray:
    """Lay tiles of the same aspect ratio out in a grid of so many columns; None is left empty.

    Tiles that fit are shown pixel by pixel, larger ones are shrunk so that the board, (H, W, 3),
    RGB, uint8, is at most ``WIDTH`` wide.
    """
    height, width = next(tile for row in rows for tile in row if tile).image.shape[:2]
    factor = min(1.0, (WIDTH - GAP * (columns + 1)) / columns / width)
    size = width, height = max(1, int(width * factor)), max(1, int(height * factor))
    pitch_x, pitch_y = width + GAP, TITLE_HEIGHT + height + GAP
    board = Image.new('RGB', (GAP + pitch_x * columns, GAP + pitch_y * len(rows)), 'white')
    draw = ImageDraw.Draw(board)
    for r, row in enumerate(rows):
        for c, tile in enumerate(row):
            if tile is None:
                continue
            x, y = GAP + c * pitch_x, GAP + r * pitch_y + TITLE_HEIGHT
            picture = tile.image
            if picture.shape[1::-1] != size:
                picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            board.paste(Image.fromarray(picture), (x, y))
            font_size = FONT_SIZE
            while font_size > 8 and draw.textlength(tile.title, _font(font_size)) > width:
                font_size -= 1
            draw.text((x, y - 6), tile.title, fill=INK, font=_font(font_size), anchor='ls')
    return np.array(board)


def stack(boards: Sequence[np.ndarray]) -> np.ndarray:
    """Put boards below each other, the narrower ones on white."""
    width = max(board.shape[1] for board in boards)
    return np.concatenate([fit(board, (width, board.shape[0])) for board in boards])


def fit(picture: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Put a picture onto a white canvas of a given width and height, shrunk if it is larger."""
    factor = min(1.0, size[0] / picture.shape[1], size[1] / picture.shape[0])
    if factor < 1:
        picture = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    canvas = np.full((size[1], size[0], 3), 255, np.uint8)
    picture = picture[: size[1], : size[0]]
    canvas[: picture.shape[0], : picture.shape[1]] = picture
    return canvas


@cache
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(findfont('DejaVu Sans'), size)

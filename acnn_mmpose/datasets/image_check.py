"""Decoding image files to the last byte, in parallel."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from PIL import Image, UnidentifiedImageError
from tqdm import tqdm

Size = tuple[int, int]

PLAUSIBLE_SIDE = range(16, 20_001)  # px


def check_images(
    folder: Path, names: Sequence[str], workers: int | None = None
) -> tuple[dict[str, Size], list[str]]:
    """Decode images and show a progress bar.

    Args:
        folder: The folder that holds them.
        names: Their file names.
        workers: Threads; by default one per CPU core (Pillow decodes outside Python's lock).

    Returns:
        Width and height in pixels of every image that is as it should be, and what is wrong with
        each of the others.
    """
    if not folder.is_dir():
        return {}, [f'image folder {folder} does not exist']
    sizes, problems = {}, []
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        results = pool.map(_check_image, [folder / name for name in names])
        for name, result in tqdm(zip(names, results), 'images', total=len(names)):
            if isinstance(result, str):
                problems.append(f'images/{name}: {result}')
            else:
                sizes[name] = result
    return sizes, problems


def _check_image(path: Path) -> Size | str:
    """Return an image's size, or what is wrong with it."""
    if not path.is_file():
        return 'is missing'
    if not path.stat().st_size:
        return 'is empty (0 bytes)'
    try:
        with Image.open(path) as image:
            image.load()
            size = image.size
    except UnidentifiedImageError:
        return 'is not an image'
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return f'can not be decoded: {error}'
    if not all(side in PLAUSIBLE_SIDE for side in size):
        return f'has the implausible size {size[0]}x{size[1]} px'
    return size

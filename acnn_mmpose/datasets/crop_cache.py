"""Writing crops of people to disk, so that training need not decode photographs again and again."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

from mmpose.registry import DATASETS
from tqdm import tqdm

from ..errors import ACNNError
from ..files import make_folder, write_whole
<<<<<<< HEAD
from .crop import Rectangle
from .loading import LoadReadableImage, UnreadableImageError, read_image
from .wrappers import leaf_datasets

# times the box that the data set gives: 1.5 times what is shown without scaling and rotation,
# because GetBBoxCenterScale pads the box to 1.25 times its size
CROP_SIZE = 1.25 * 1.5
HEADER = '<ii'  # height and width of the photograph; then the crop's rows, BGR
SUFFIX = '.crop'


@TRANSFORMS.register_module()
class LoadCachedCrop(LoadReadableImage):
    """:class:`LoadReadableImage`, with people from a folder that ``tools/cache_crops.py`` made.

    The output is the same to the bit. :class:`TopdownCrop` takes the photograph itself where a crop
    does not reach as far as the scale and the rotation that were drawn, which is rare, or where the
    folder has no crop of the person and the photograph as they are now; the latter with a warning.

    Required keys: ``img_path``, and ``bbox_center`` and ``bbox_scale`` (1, 2) as the data set gives
    them, hence before :class:`GetBBoxCenterScale`. Other keys are those of :class:`LoadImage`;
    added key: ``lazy_image``.

    Args:
        folder: The folder with the crops.

    Raises:
        ACNNError: If the folder does not exist.
    """

    def __init__(self, folder: str) -> None:
        super().__init__()
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise ACNNError(
                f'the crop cache {folder} does not exist: make it with tools/cache_crops.py'
            )

    def transform(self, results: dict) -> dict:
        """Find the person's crop; else load the photograph."""
        crop = None if 'img' in results else find_crop(self.folder, results)
        if crop is None:
            return super().transform(results)
        results['img'] = np.empty((*crop.shape, 3), np.uint8)  # never read
        results['img_shape'] = results['ori_shape'] = crop.shape
        results['lazy_image'] = crop
        return results


class CachedCrop(NamedTuple):
    """A :class:`LazyImage`.

    Attributes:
        file: The crop's, open behind its header.
        rectangle: Where the crop is in the photograph.
        shape: Height and width of the photograph, in pixels.
        photograph: Its file.
    """

    file: BinaryIO
    rectangle: Rectangle
    shape: tuple[int, int]
    photograph: str

    def load(self, rectangle: Rectangle, shrink: float) -> tuple[np.ndarray, int]:
        """Place the crop in an otherwise empty photograph, or decode the photograph."""
        with self.file:
            if not self.rectangle.contains(rectangle):
                return read_image(self.photograph), 1
            left, top = rectangle.left - self.rectangle.left, rectangle.top - self.rectangle.top
            height, width = rectangle.shape
            row = (self.rectangle.shape[1], 3)
            self.file.seek(top * math.prod(row), os.SEEK_CUR)
            rows = np.fromfile(self.file, np.uint8, height * math.prod(row)).reshape(height, *row)
            photograph = np.empty((*self.shape, 3), np.uint8)
            photograph[rectangle.slices] = rows[:, left : left + width]
            return photograph, 1


def find_crop(folder: Path, person: dict[str, Any]) -> CachedCrop | None:
    """Find the crop of a person and a photograph as they are now.

    Args:
        folder: The folder with the crops.
        person: ``img_path``, ``bbox_center`` and ``bbox_scale`` of a data set's sample.

    Returns:
        The crop; None, and a warning, if there is none.

    Raises:
        ACNNError: If its file is damaged.
    """
    try:
        file = crop_file(folder, person).open('rb', buffering=0)
    except OSError:
        warnings.warn(
            f'{folder} has no crops of some people, or their photographs or boxes have changed: '
            'the photographs are used instead, which takes longer; tools/cache_crops.py adds what '
            'is missing',
            stacklevel=2,
        )
        return None
    header = file.read(struct.calcsize(HEADER))
    shape = struct.unpack(HEADER, header) if len(header) == struct.calcsize(HEADER) else (0, 0)
    rectangle = crop_rectangle(person).clip(shape)
    if os.fstat(file.fileno()).st_size != struct.calcsize(HEADER) + 3 * math.prod(rectangle.shape):
        raise ACNNError(f'{file.name} is damaged: delete it and run tools/cache_crops.py again')
    return CachedCrop(file, rectangle, shape, person['img_path'])


def crop_rectangle(person: dict[str, Any]) -> Rectangle:
    """Return what of a photograph is kept of a person; it may reach beyond the photograph."""
    (center,), (scale,) = person['bbox_center'], person['bbox_scale']
    half = CROP_SIZE / 2 * max(scale)  # square, as the network's input
    left, top = np.floor(center - half).astype(int).tolist()
    right, bottom = np.ceil(center + half).astype(int).tolist()
    return Rectangle(left, top, right, bottom)


def crop_file(folder: Path, person: dict[str, Any]) -> Path:
    """Name a person's file after all that decides on its content.

    That is the photograph's name, size in bytes and time of modification, the rectangle, and the
    version of the library that decodes.

    Raises:
        OSError: If there is no photograph.
    """
    photograph = Path(person['img_path'])
    status = photograph.stat()
    made_from = (photograph.name, status.st_size, status.st_mtime_ns, *crop_rectangle(person))
    text = repr((*made_from, cv2.__version__))
    return folder / (hashlib.sha256(text.encode()).hexdigest()[:32] + SUFFIX)

=======
from .cached_crop import HEADER, SUFFIX, crop_file, crop_region
from .loading import UnreadableImageError, read_image
from .wrappers import leaf_datasets

>>>>>>> 91f57a7 (The crop cache is an argument of the loading transform; configs are not edited by position)

def cache_crops(dataset: dict[str, Any], folder: str | Path, workers: int | None = None) -> str:
    """Write the crops of a data set's people that a folder lacks: :func:`write_crops`.

    Args:
        dataset: Config of the data set; of one that combines others, everybody in these is meant,
            however few of them it shows in an epoch.
        folder: Where to; it is made if need be.
        workers: Threads, >= 1; by default one per CPU core.
    """
    datasets = [DATASETS.build({**leaf, 'pipeline': []}) for leaf in leaf_datasets(dataset)]
    people = [each.get_data_info(i) for each in datasets for i in range(len(each))]
    return write_crops(people, folder, workers)


def write_crops(
    people: Sequence[dict[str, Any]], folder: str | Path, workers: int | None = None
) -> str:
    """Write the crops that a folder lacks, with a progress bar.

    A file is written whole or not at all, and files that are there stay, so that an interrupted
    call can be repeated.

    Args:
        people: Samples of a data set, before its pipeline.
        folder: Where to; it is made if need be.
        workers: Threads, >= 1; by default one per CPU core (cv2 decodes outside Python's lock).

    Returns:
        A report of what is in the folder, and of photographs that can't be read.

    Raises:
        ACNNError: If the folder can't be written, the disk is full, or ``workers`` is less than 1.
    """
    if workers is not None and workers < 1:
        raise ACNNError(f'caching crops needs at least 1 worker, but got {workers}')
    folder = make_folder(folder, 'the folder for crops')
    photographs = [
        list(group) for _, group in groupby(sorted(people, key=_photograph), key=_photograph)
    ]
    files: set[Path] = set()
    unreadable: list[str] = []
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        results = pool.map(lambda group: _cache_photograph(folder, group), photographs)
        for written in tqdm(results, 'photographs', total=len(photographs)):
            if isinstance(written, str):
                unreadable.append(written)
            else:
                files.update(written)
    return '\n'.join(_report(folder, files, unreadable))


def _photograph(person: dict[str, Any]) -> str:
    return person['img_path']


def _cache_photograph(folder: Path, people: list[dict[str, Any]]) -> list[Path] | str:
    """Write the crops of a photograph's people; return their files, or what is wrong with it."""
    try:
        files = [crop_file(folder, person) for person in people]
        missing = [(f, p) for f, p in zip(files, people) if not f.exists()]
        if missing:
            image = read_image(people[0]['img_path'])
    except (OSError, UnreadableImageError) as error:
        return f'{error}'
    for file, person in missing:
        rectangle = crop_rectangle(person).clip(image.shape[:2])
        header = struct.pack(HEADER, *image.shape[:2])
        write_whole(
            file,
            header + image[rectangle.slices].tobytes(),
            'make room, and the same command goes on',
        )
    return files


def _report(folder: Path, files: set[Path], unreadable: list[str]) -> Iterator[str]:
    yield from unreadable
    size = sum(file.stat().st_size for file in files)
    yield f'{len(files)} crops in {folder}, {size / 1e9:.1f} GB'
    others = [file for file in folder.glob(f'*{SUFFIX}') if file not in files]
    if others:
        size = sum(file.stat().st_size for file in others)
        yield (
            f'{len(others)} other crops there, {size / 1e9:.1f} GB: of another data set, or out of '
            'date and never used again'
        )

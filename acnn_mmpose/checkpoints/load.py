"""Reading checkpoints, and finding the one to go on from."""

from __future__ import annotations

import json
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.runner import CheckpointLoader

from ..compat import load_safely
from ..errors import ACNNError, explained
from .validate import check_resumable
from .weights_file import SUFFIX, unpack


def load_from_local(filename: str, map_location: Any = None) -> dict[str, Any]:
    """Load a checkpoint file, in place of MMEngine's loader of the same name.

    A weights file, if its name ends in ``.safetensors``, is read to the CPU; else it is a pickle.

    Raises:
        ACNNError: If the file does not exist, is damaged, or asks for types that a checkpoint of
            the Runner does not contain (see :mod:`acnn_mmpose.compat`).
    """
    path = Path(filename).expanduser()
    if not path.is_file():
        raise ACNNError(f'checkpoint {filename} does not exist')
    try:
        if path.suffix == SUFFIX:
            content = unpack(path)
        else:
            _verify_checksums(path)
            content = load_safely(path, map_location)
    except ACNNError:
        raise
    except pickle.UnpicklingError as error:
        asked = re.search(r'GLOBAL (\S+)', str(error))
        raise ACNNError(
            f'{filename} is not a checkpoint, or holds types that could run code, and is refused'
            + (f': it asks for {asked[1]}' if asked else '')
        ) from error
    except Exception as error:  # arbitrary bytes make the unpickler raise anything
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise ACNNError(
            f'{filename} is damaged or not a checkpoint ({reason}): take another one, for example '
            'that of the epoch before'
        ) from error
    if not isinstance(content, dict) or not all(
        isinstance(content.get(part, {}), dict) for part in ('meta', 'state_dict')
    ):
        raise ACNNError(f'{filename} is not a checkpoint: it holds no dict of weights')
    with explained(f'{filename} is not as this package writes it', 'take another one'):
        json.dumps([value for key, value in content.get('meta', {}).items() if key[:5] == 'acnn_'])
    return content


def _verify_checksums(path: Path) -> None:
    """Compare a file's parts with the checksums that torch writes beside them but never reads."""
    if zipfile.is_zipfile(path):  # files of torch < 1.6 are not
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise OSError(f'{damaged} differs from its checksum')


def load_url(
    url: str, model_dir: str | None = None, map_location: Any = None, progress: bool = True
) -> dict[str, Any]:
    """Load a checkpoint from the web, in place of torch's function, which runs any code in it.

    Files are kept in ``model_dir``, by default with those of torch.hub.
    """
    folder = Path(model_dir or Path(torch.hub.get_dir(), 'checkpoints'))
    file = folder / Path(urlparse(url).path).name
    if not file.is_file():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(url, str(file), progress=progress)
        except (OSError, ValueError) as error:
            raise ACNNError(f'{url} can not be downloaded ({error}): give a file') from error
    try:
        return load_from_local(str(file), map_location)
    except ACNNError as error:  # nobody compares how long the file should be
        raise ACNNError(f'{error} ({url}: remove the file to download it again)') from error


def latest_checkpoint(work_dir: str | Path) -> str | None:
    """Find the checkpoint that a run saved last, in its work dir, which may have been moved since.

    MMEngine notes it in the file ``last_checkpoint``. Where that is missing, empty or damaged,
    because the process was killed while it wrote, or names a file that is not there, the checkpoint
    with the largest number counts.
    """
    work_dir = Path(work_dir)
    note = work_dir / 'last_checkpoint'
    if note.is_file():
        name = Path(note.read_text(encoding='utf-8', errors='replace').strip()).name
        for path in work_dir.iterdir():  # asked for a name of arbitrary bytes, the system may fail
            if path.name == name and path.is_file():
                return str(path)
    found = {}
    for path in work_dir.glob('*.pth'):
        match = re.fullmatch(r'epoch_(\d+)\.pth', path.name)
        if match:
            found[int(match[1])] = path
    return str(found[max(found)]) if found else None


def read_meta(checkpoint: str) -> dict[str, Any]:
    """Return the ``meta`` of a checkpoint that can be resumed: epoch, iter, seed, phase..."""
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    check_resumable(content, checkpoint)
    return content['meta']

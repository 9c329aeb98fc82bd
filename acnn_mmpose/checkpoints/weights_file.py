"""Weights files: safetensors with json beside the weights, which nothing can hide code in.

The file's metadata has one entry, ``acnn_mmpose``, because safetensors writes several in no fixed
order. It holds json: the ``meta`` of a checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..errors import ACNNError, import_package

SUFFIX = '.safetensors'
ENTRY = 'acnn_mmpose'

# what json makes lists of: the arrays in the dataset meta that MMPose's parse_pose_metainfo makes
_ARRAYS = {
    'dataset_keypoint_weights': np.float32,
    'sigmas': np.float32,
    'keypoint_colors': np.uint8,
    'skeleton_link_colors': np.uint8,
}


def pack(weights: dict[str, torch.Tensor], meta: dict[str, Any]) -> bytes:
    """Return the content of a weights file, with the weights' digest in the checkpoint's ``meta``.

    Equal weights and meta give equal bytes.
    """
    save = import_package('safetensors.torch', f'a {SUFFIX} file').save
    # clones: safetensors refuses tensors that share memory
    tensors = {key: value.clone().contiguous() for key, value in weights.items()}
    meta = {**meta, 'weights_sha256': digest(_without_header(save(tensors)))}
    return save(tensors, {ENTRY: json.dumps(meta, sort_keys=True, default=np.ndarray.tolist)})


def unpack(path: Path) -> dict[str, Any]:
    """Read a weights file, ours or anybody's: ``state_dict``, on the CPU, and ``meta``.

    If its name ends in ``-`` and 8 hexadecimal digits, they must be the first of its sha256. The
    meta of a file that is not ours is empty. A damaged one may raise anything.
    """
    content = path.read_bytes()
    claimed = re.search(r'-([0-9a-f]{8})$', path.stem)
    if claimed and claimed[1] != digest(content):
        raise ACNNError(
            f'{path} is damaged or renamed: its sha256 begins with {digest(content)}, not with '
            f'{claimed[1]} as its name says; get it again'
        )
    load = import_package('safetensors.torch', f'a {SUFFIX} file').load
    with import_package('safetensors', f'a {SUFFIX} file').safe_open(path, 'pt') as file:
        text = (file.metadata() or {}).get(ENTRY)
    if text is None:
        return {'state_dict': load(content), 'meta': {}}
    meta = json.loads(text)
    if meta.pop('weights_sha256') != digest(_without_header(content)):
        raise ACNNError(f'{path} is damaged: its weights are not those that were saved')
    if 'dataset_meta' in meta:
        meta['dataset_meta'] = _restore(meta['dataset_meta'])
    return {'state_dict': load(content), 'meta': meta}


def _without_header(content: bytes) -> bytes:
    """Return the weights alone: 8 bytes tell the length of the header before them."""
    return content[8 + int.from_bytes(content[:8], 'little') :]


def digest(content: bytes) -> str:
    """Return the first 8 digits of a sha256, as OpenMMLab puts them into file names."""
    return hashlib.sha256(content).hexdigest()[:8]


def _restore(dataset_meta: dict[str, Any]) -> dict[str, Any]:
    """Give a dataset meta that went through json the types that MMPose gave it."""
    restored = dict(dataset_meta)
    for key, dtype in _ARRAYS.items():
        restored[key] = np.array(restored[key], dtype)
    for key in ('flip_pairs', 'skeleton_links'):
        restored[key] = [tuple(pair) for pair in restored[key]]
    names = restored['keypoint_id2name']
    restored['keypoint_id2name'] = {int(index): name for index, name in names.items()}
    return restored

"""Seeded damage to files: to any bytes, and to what json, .mat files and checkpoints hold."""

from __future__ import annotations

import copy
import io
import json
import os
from random import Random
from typing import Any

from acnn_mmpose.checkpoints.weights_file import ENTRY, pack

import numpy as np
import torch
from safetensors.torch import save
from scipy.io import loadmat, savemat

ODD_VALUES = [
    *(12.5, 1e-300, 1e300),
    *(None, True, '', 'x', '7', 'a/b.jpg', '../x.jpg', 0, -1, 15, 1e9, 1e308, -1e308, 10**400),
    *(float('nan'), float('inf'), [], {}, [[]], [1], [1, 2, 3], [[1, 2], [3]], {'x': 1}),
    *(['a'] * 16, [[0, 0]] * 14, [float('nan')] * 2, [[1e30, 1e30]] * 16),
]


class RunsCode:
    """Ends the process if it is unpickled by something that allows it."""

    def __reduce__(self):
        return os.abort, ()


# --- bytes -------------------------------------------------------------------------------------


def damage_bytes(content: bytes, chance: Random) -> bytes:
    """Damage a file of any kind in one of eight ways."""
    data = bytearray(content)
    start = chance.randrange(len(data))
    # most short, some long; many near the start, where headers are
    if chance.random() < 0.5:
        start = min(start, chance.randrange(256))
    length = min(len(data) - start, chance.choice([1, 4, 16, 200, len(data)]))
    way = chance.randrange(8)
    if way == 0:
        return content[:start]
    if way == 1:
        for _ in range(chance.choice([1, 1, 4, 64])):
            place = chance.randrange(len(data)) if chance.random() < 0.5 else start
            data[place] ^= 1 << chance.randrange(8)
    elif way == 2:
        other = chance.randrange(len(data))
        data[start], data[other] = data[other], data[start]
    elif way == 3:
        data[start : start + length] = bytes(length)
    elif way == 4:
        data[start : start + length] = chance.randbytes(length)
    elif way == 5:
        data[start:start] = chance.randbytes(length)
    elif way == 6:
        data[start : start + length] = b''
    else:
        data[start : start + length] = data[start : start + length][::-1]
    return bytes(data)


# --- json --------------------------------------------------------------------------------------


def damage_json(content: bytes, chance: Random) -> bytes:
    """Replace, remove or rename values in a json file, or give it too few joints."""
    root = [json.loads(content)]
    for _ in range(chance.choice([1, 1, 3])):
        if chance.random() < 0.1:
            _cut_joints(root)
        else:
            damage_tree(root, chance)
    return json.dumps(root[0] if root else None).encode()


def damage_tree(root: list | dict, chance: Random) -> None:
    """Change one node below the root, whose level is drawn first."""
    node, depth = root, chance.choice([1, 2, 3, 4, 5])
    for _ in range(depth - 1):
        children = [child for child in _values(node) if isinstance(child, (list, dict)) and child]
        if not children:
            break
        node = chance.choice(children)
    if not node:
        return
    key = chance.choice(list(node)) if isinstance(node, dict) else chance.randrange(len(node))
    way = chance.random()
    if way < 0.25:
        del node[key]
    elif way < 0.35 and isinstance(node, dict):
        node[f'{key}_'] = node.pop(key)
    else:
        node[key] = copy.deepcopy(chance.choice(ODD_VALUES))


def _cut_joints(root: list) -> None:
    for entry in _values(root[0] if root else []):
        if isinstance(entry, dict):
            for key in ('joints', 'joints_vis'):
                if isinstance(entry.get(key), list):
                    entry[key] = entry[key][:14]


def _values(node: Any) -> list:
    return list(node.values()) if isinstance(node, dict) else list(node)


# --- .mat --------------------------------------------------------------------------------------


def damage_mat(content: bytes, chance: Random) -> bytes:
    """Replace or remove a variable of a .mat file."""
    variables = {k: v for k, v in loadmat(io.BytesIO(content)).items() if not k.startswith('__')}
    name = chance.choice(sorted(variables))
    array = variables.pop(name)
    if chance.random() < 0.85:
        variables[name] = _damage_array(array, chance)
    out = io.BytesIO()
    savemat(out, variables)
    return out.getvalue()


def _damage_array(array: np.ndarray, chance: Random) -> Any:
    values = np.zeros((2, 2)) if array.dtype == object else array.astype(float)
    spoilt = values.copy()
    spoilt.flat[chance.randrange(spoilt.size)] = chance.choice([np.nan, np.inf, -1e308, 1e30, 0])
    cell = np.empty((2, 2), object)
    cell[:] = [[1, 'x'], [values, {'a': 1}]]
    return chance.choice(
        [
            *(spoilt, values[..., 1:], values[1:], values.T, values[..., None], values.ravel()),
            *(np.zeros_like(values), np.zeros((0, 0)), values.astype(complex), values > 0),
            *('text', 1.0, cell, {'x': values}, values.astype(np.int8), np.full((3,) * 5, 1.0)),
            np.concatenate([values, values], axis=-1),
        ]
    )


# --- .npz --------------------------------------------------------------------------------------


def damage_npz(content: bytes, chance: Random) -> bytes:
    """Replace or remove an array of what ``test.py --dump`` writes."""
    arrays = dict(np.load(io.BytesIO(content)))
    name = chance.choice(sorted(arrays))
    array = arrays.pop(name)
    if chance.random() < 0.85:
        arrays[name] = np.array(chance.choice([_damage_array(array, chance), [RunsCode()]]))
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


# --- checkpoints -------------------------------------------------------------------------------


def damage_checkpoint(content: bytes, chance: Random) -> bytes:
    """Damage what a Runner's checkpoint holds: weights, meta, the optimizer's state, anything."""
    checkpoint = torch.load(io.BytesIO(content))
    way = chance.random()
    if way < 0.4:
        _damage_weights(checkpoint['state_dict'], chance)
    elif way < 0.65:
        damage_tree([checkpoint['meta']], chance)
    elif way < 0.75:
        damage_tree(checkpoint[chance.choice(['optimizer', 'message_hub'])], chance)
    elif way < 0.85:
        place = chance.choice([checkpoint, checkpoint['meta'], checkpoint['state_dict']])
        place['foreign'] = chance.choice([RunsCode(), Random, np.load, np.array([RunsCode()])])
    elif way < 0.95:
        damage_tree(checkpoint, chance)
    else:
        checkpoint = copy.deepcopy(chance.choice(ODD_VALUES))
    out = io.BytesIO()
    torch.save(checkpoint, out)
    return out.getvalue()


def damage_weights_file(content: bytes, chance: Random, unpacked: dict[str, Any]) -> bytes:
    """Damage the weights or the meta of a weights file, or the json around them."""
    weights, meta = dict(unpacked['state_dict']), copy.deepcopy(unpacked['meta'])
    way = chance.random()
    if way < 0.4:
        _damage_weights(weights, chance)
        weights = {
            str(k): v for k, v in weights.items() if getattr(v, 'layout', None) == torch.strided
        }
    elif way < 0.8:
        holder = [json.loads(json.dumps(meta, default=np.ndarray.tolist))]
        damage_tree(holder, chance)
        meta = holder[0] if holder else None
    else:
        size = int.from_bytes(content[:8], 'little')
        header = damage_json(content[8 : 8 + size], chance)
        return len(header).to_bytes(8, 'little') + header + content[8 + size :]
    if not isinstance(meta, dict):
        return save(weights, {ENTRY: json.dumps(meta)})
    return pack(weights, meta)


def _damage_weights(weights: dict[str, Any], chance: Random) -> None:
    key = chance.choice(sorted(weights))
    value = weights.pop(key)
    spoilt = value.clone().flatten().float()
    spoilt[chance.randrange(len(spoilt))] = chance.choice([float('nan'), float('inf'), 1e30])
    replacement = chance.choice(
        [
            *(None, 'text', [1.0], value.tolist(), spoilt.reshape(value.shape), value[None]),
            *(value.flatten()[:-1], value.to(torch.int64), value.half(), value.double()),
            *(value.to(torch.complex64), value > 0, torch.zeros(0), torch.tensor(1.0)),
            value.float().to_sparse(),
        ]
    )
    if chance.random() < 0.8:
        weights[chance.choice([key, key, key, f'{key}x', 7])] = replacement

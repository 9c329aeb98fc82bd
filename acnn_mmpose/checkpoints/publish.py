"""From a checkpoint of a run to a file of weights for others."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.runner import CheckpointLoader

from ..errors import ACNNError, explained
from ..files import read_json, write_whole
from .validate import describe_unsound
from .weights_file import SUFFIX, digest, pack

# of the checkpoint's meta, beside what this package wrote there; the rest, such as the seed and the
# host's time, is the run's alone
PUBLISHED = ('dataset_meta', 'epoch', 'iter')
OF_THE_RUN = ('work_dir', 'load_from', 'resume', 'launcher')  # of the config


def publish_checkpoint(
    checkpoint: str, out: str, metrics: str | None = None, half: bool = False
) -> Path:
    """Write the weights of a checkpoint, and what is needed to use them, to a safetensors file.

    Of a run with EMAHook these are the averaged ones, as its tests use them. The same checkpoint
    gives the same bytes. The file is written whole or not at all.

    Args:
        checkpoint: A checkpoint that a run of this package saved.
        out: The file to write; the first 8 digits of its sha256 are added to its name.
        metrics: A json file of scores to add, as ``test.py --out`` writes it.
        half: Write the convolutions' kernels in float16, which halves the file; a model that loads
            it computes in float32 as before. Biases and normalisation stay float32: they are small,
            and running variances may leave float16's range.
    """
    content = CheckpointLoader.load_checkpoint(checkpoint, 'cpu')
    meta = content.get('meta', {})
    if 'acnn_phase' not in meta or 'state_dict' not in content:
        raise ACNNError(
            f'{checkpoint} names no phase or has no weights: publish what a run of this package '
            'saved'
        )
    weights = content['state_dict']
    unsound = describe_unsound(weights)
    if unsound:
        raise ACNNError(f'{checkpoint} can not be published: {unsound}')
    if half:
        weights = {k: v.half() if v.ndim == 4 else v for k, v in weights.items()}
    published = {k: v for k, v in meta.items() if k in PUBLISHED or k.startswith('acnn_')}
    remedy = 'publish what a run of this package saved'
    with explained(f'the config in {checkpoint} can not be read', remedy):
        published['cfg'] = _without_run(meta['cfg'])
    published['metrics'] = {} if metrics is None else _read_metrics(Path(metrics))
    packed = pack(weights, published)
    target = Path(f'{out.removesuffix(SUFFIX)}-{digest(packed)}{SUFFIX}')
    write_whole(target, packed)
    return target


def _without_run(text: str) -> str:
    """Leave out of a config's text, which is not run, what says where and how it ran."""
    lines = [line for line in ast.parse(text).body if isinstance(line, ast.Assign)]
    cfg = Config({ast.unparse(line.targets[0]): _value(line.value) for line in lines})
    for key in OF_THE_RUN:
        cfg.pop(key, None)
    cfg.get('visualizer', {}).pop('name', None)  # the run's folder
    return cfg.pretty_text


def _value(node: ast.expr) -> Any:
    """Return what a literal stands for, in which ``dict(a=1)`` is one, too."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == 'dict':
        options = {f'{each.arg}': _value(each.value) for each in node.keywords}
        return dict(*map(_value, node.args), **options)
    if isinstance(node, (ast.List, ast.Tuple)):
        values = map(_value, node.elts)
        return list(values) if isinstance(node, ast.List) else tuple(values)
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values)
        return {ast.literal_eval(key): _value(value) for key, value in pairs if key}
    return ast.literal_eval(node)


def _read_metrics(path: Path) -> dict[str, float]:
    remedy = 'give what test.py --out wrote'
    metrics = read_json(path, remedy)
    with explained(f'{path} can not be read as metrics', remedy):
        return {name: float(value) for name, value in metrics.items()}

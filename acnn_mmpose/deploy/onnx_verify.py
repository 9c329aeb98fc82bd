"""Whether ONNX Runtime computes what PyTorch does, and the crops to compare on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmpose.registry import DATASETS

from ..datasets import read_image
from ..engine import check_data
from ..errors import ACNNError
from ..models import ACNN
from ..toy.dataset import draw_person_image
from .onnx_network import ExportNetwork
from .onnx_session import start_session

TOLERANCE = 1e-5
NUM_CROPS = 8  # unless images are named


class Agreement(NamedTuple):
    """How outputs compare.

    Attributes:
        relative_error: Largest difference of an output over its largest value, both absolute.
        masks_equal: True if hard masks were compared, too; they are equal or it is an error.
        batches: How many crops were run at once, each time.
    """

    relative_error: float
    masks_equal: bool
    batches: tuple[int, ...]


class Crops(NamedTuple):
    """Crops to compare outputs on.

    Attributes:
        images: (N, H, W, 3), BGR, uint8.
        source: Where they are from, in words.
    """

    images: np.ndarray
    source: str


def find_crops(model: ACNN, files: Sequence[str] = ()) -> Crops:
    """Cut crops with the model's test pipeline, from the best images there are.

    Args:
        model: From :func:`acnn_mmpose.engine.load_model`.
        files: Image files, each cut as a whole. Without: people of the test set, if its files
            exist, else generated ones.

    Raises:
        ACNNError: If an image can't be read.
    """
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline)
    if files:
        samples = [pipeline(_describe(read_image(file), model)) for file in files]
        source = 'the given images'
    elif _has_test_data(model):
        dataset = DATASETS.build(model.cfg.test_dataloader.dataset)
        count = min(NUM_CROPS, len(dataset))
        samples = [dataset[int(i)] for i in np.linspace(0, len(dataset) - 1, count)]
        source = 'people of the test set'
    else:
        rngs = [np.random.default_rng(seed) for seed in range(NUM_CROPS)]
        samples = [pipeline(_describe(draw_person_image(rng).image, model)) for rng in rngs]
        source = 'generated images (none given, no test set found)'
    crops = torch.stack([sample['inputs'] for sample in samples])
    return Crops(crops.permute(0, 2, 3, 1).contiguous().numpy(), source)


def verify(network: ExportNetwork, exported: bytes, crops: np.ndarray) -> Agreement:
    """Compare outputs of ONNX Runtime with PyTorch's: of the first crop, then of all at once.

    Args:
        network: What was exported.
        exported: Content of the .onnx file.
        crops: (N, H, W, 3), BGR, uint8.

    Raises:
        ACNNError: If the relative error of an output is :data:`TOLERANCE` or more, or hard masks
            are not equal.
    """
    session = start_session(exported)
    batches = (crops[:1], crops) if len(crops) > 1 else (crops,)
    hard = [name == 'masks' and network.mask_mode == 'hard' for name in network.output_names]
    errors = []
    for batch in batches:
        with torch.no_grad():
            expected = [output.numpy() for output in network(torch.from_numpy(batch))]
        for is_hard, wanted, got in zip(hard, expected, session.run(None, {'images': batch})):
            if is_hard:
                _check_equal(wanted, got)
            else:
                errors.append(_relative_error(wanted, got))
    return Agreement(max(errors), any(hard), tuple(map(len, batches)))


def _relative_error(wanted: np.ndarray, got: np.ndarray) -> float:
    """Compare heatmaps or soft masks."""
    error = float(np.abs(got - wanted).max() / np.abs(wanted).max())
    if not error < TOLERANCE:  # not: NaN is no agreement either
        raise ACNNError(
            f"ONNX Runtime's output differs from PyTorch's by {error:.1e} of its largest value, "
            f'more than {TOLERANCE:g} on {len(wanted)} crops: nothing was written'
        )
    return error


def _check_equal(wanted: np.ndarray, got: np.ndarray) -> None:
    """Compare hard masks (N, S - 1, h, w)."""
    differ = int((wanted != got).sum())
    if differ:
        raise ACNNError(
            f"ONNX Runtime's masks differ from PyTorch's in {differ} of {wanted.size} cells: "
            'nothing was written; where a sigmoid is at its threshold up to rounding, '
            'other images (--verify) will do'
        )


def _describe(image: np.ndarray, model: ACNN) -> dict:
    """Make a whole image the input of a test pipeline, as ``inference_topdown`` does."""
    height, width = image.shape[:2]
    box = np.array([[0, 0, width, height]], np.float32)
    return {'img': image, 'bbox': box, 'bbox_score': np.ones(1), **model.dataset_meta}


def _has_test_data(model: ACNN) -> bool:
    """Whether the files of the config's test set exist."""
    try:
        check_data(model.cfg, 'test')
    except ACNNError:
        return False
    return True

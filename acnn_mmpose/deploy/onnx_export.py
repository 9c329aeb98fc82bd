"""From a trained network to an .onnx file that ONNX Runtime computes as PyTorch does.

Shape legend: N crops, K joints, S stages, H x W crop, h x w heatmap.
"""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.registry import DATASETS
from torch import Tensor, nn

from ..datasets import read_image
from ..engine import check_data
from ..errors import ACNNError
from ..files import make_folder, write_whole
from ..models import ACNN, PHASES, stack_masks
from ..toy.dataset import draw_person_image
from ..version import __version__
from .onnx_card import KEY, ModelCard
from .onnx_predictor import import_package, start_session

OPSET = 13  # old enough for every runtime; the network needs nothing newer
TOLERANCE = 1e-5
NUM_CROPS = 8  # unless images are named


class Agreement(NamedTuple):
    """How outputs compare: the largest difference over the largest value, both absolute."""

    relative_error: float
    masks_equal: bool
    batches: tuple[int, ...]


class Exported(NamedTuple):
    """What was written: ``shapes`` of outputs by name, without batch, ``size`` in bytes."""

    shapes: dict[str, tuple[int, ...]]
    size: int
    compared_on: str
    agreement: Agreement


def export_onnx(
    model: ACNN, file: str | Path, with_masks: bool = False, images: Sequence[str] = ()
) -> Exported:
    """Write a network to an .onnx file with a dynamic batch, once ONNX Runtime agrees with PyTorch.

    Args:
        model: From :func:`acnn_mmpose.engine.load_model`, on the CPU.
        file: The file to write, replaced if it exists.
        with_masks: Export the masks, too.
        images: Image files to compare outputs on, see :func:`find_crops`.

    Raises:
        ACNNError: If a predictor would do otherwise than MMPose, packages are missing, outputs
            differ, or the file can't be written. There is no new file then.
    """
    path = Path(file)
    if path.suffix != '.onnx' or path.is_dir():
        raise ACNNError(f'{file} must be a file name that ends in .onnx')
    make_folder(path.parent, f'the folder of {path.name}')
    onnx = import_package('onnx')
    import_package('onnxruntime')  # to compare with, in the end: say early that it is missing
    if model.deployed:
        raise ACNNError('export a model before switch_to_deploy: ONNX Runtime folds norms itself')
    card = make_card(model)
    if with_masks and not (PHASES[model.phase].uses_masks and len(model.backbone.mask_branches)):
        raise ACNNError(
            f'this network has no masks to export: phase {model.phase!r}, mask_mode '
            f'{model.backbone.mask_mode!r}, {model.backbone.num_stages} stages; export without'
        )
    crops, compared_on = find_crops(model, images)
    network = ExportNetwork(model, card.input_size, with_masks)
    content = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(trace(network)))
    onnx.helper.set_model_props(content, {KEY: card.to_json()})
    exported = content.SerializeToString()
    agreement = verify(network, exported, crops)
    write_whole(path, exported)
    shapes = {
        output.name: tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim[1:])
        for output in content.graph.output
    }
    return Exported(shapes, len(exported), compared_on, agreement)


def make_card(model: ACNN) -> ModelCard:
    """Gather what a predictor must know; refuse what it does not know how to do."""
    decoder, options, meta = model.head.decoder, model.test_cfg, model.dataset_meta
    padding = _check_pipeline(model)
    if not isinstance(decoder, MSRAHeatmap) or decoder.unbiased:
        raise ACNNError('only the codec MSRAHeatmap with unbiased=False can be exported')
    if options.get('flip_mode', 'heatmap') != 'heatmap' or options.get('output_keypoint_indices'):
        raise ACNNError(
            "only test_cfg.flip_mode='heatmap' without output_keypoint_indices can be exported"
        )
    names = [name for _, name in sorted(meta['keypoint_id2name'].items())]
    if len(names) != model.head.out_channels:
        raise ACNNError(
            f'the network has {model.head.out_channels} joints, but its data set {len(names)}: '
            'name the right one in the config'
        )
    return ModelCard(
        keypoint_names=names,
        flip_indices=[int(i) for i in meta['flip_indices']],
        input_size=[int(side) for side in decoder.input_size],
        padding=padding,
        flip_test=bool(options.get('flip_test', False)),
        shift_heatmap=bool(options.get('shift_heatmap', False)),
        sigma=float(decoder.sigma),
        phase=model.phase,
        mask_mode=model.backbone.mask_mode,
        version=__version__,
    )


def _check_pipeline(model: ACNN) -> float:
    """Check that the test pipeline cuts crops as the predictor does; return its padding."""
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline).transforms
    boxes = [step for step in pipeline if isinstance(step, GetBBoxCenterScale)]
    affines = [step for step in pipeline if isinstance(step, TopdownAffine)]
    if len(boxes) != 1 or len(affines) != 1 or affines[0].use_udp:
        raise ACNNError(
            'a test pipeline can be exported that has one GetBBoxCenterScale and one TopdownAffine '
            'with use_udp=False'
        )
    return float(boxes[0].padding)


class ExportNetwork(nn.Module):
    """A model in eval mode with its preprocessor: from uint8 crops to heatmaps, maybe masks."""

    def __init__(self, model: ACNN, input_size: Sequence[int], with_masks: bool) -> None:
        super().__init__()
        self.model = model
        self.input_size = input_size
        self.mask_mode = model.backbone.mask_mode
        self.output_names = ('heatmaps', 'masks') if with_masks else ('heatmaps',)
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map crops (N, H, W, 3), BGR, uint8, to float32 heatmaps and, if asked for, masks.

        These are P(S), (N, K, h, w), and M(1) to M(S-1), (N, S - 1, h, w).
        """
        batch = {'inputs': images.permute(0, 3, 1, 2), 'data_samples': []}
        width, height = self.input_size
        # the preprocessor pads to a size that tracing can't know: by nothing, so say it
        inputs = self.model.data_preprocessor(batch)['inputs'].reshape(-1, 3, height, width)
        stages = self.model.extract_feat(inputs)
        outputs = (self.model.head(stages)[-1], stack_masks(stages))
        return outputs[: len(self.output_names)]


def trace(network: ExportNetwork) -> bytes:
    """Turn a network into the content of an .onnx file with a dynamic batch.

    By tracing (TorchScript), which needs onnx only; the newer exporter needs onnxscript.
    """
    width, height = network.input_size
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    names = ('images', *network.output_names)
    parameters = inspect.signature(torch.onnx.export).parameters
    tracing: dict[str, Any] = {'dynamo': False} if 'dynamo' in parameters else {}  # torch >= 2.5
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # the size that the trace takes as constant is; that tracing is the older way is known
        warnings.simplefilter('ignore', torch.jit.TracerWarning)
        warnings.simplefilter('ignore', DeprecationWarning)
        path = Path(folder, 'network.onnx')
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=list(names[:1]),
            output_names=list(names[1:]),
            dynamic_axes={name: {0: 'N'} for name in names},
            opset_version=OPSET,
            **tracing,
        )
        return path.read_bytes()


def find_crops(model: ACNN, files: Sequence[str] = ()) -> tuple[np.ndarray, str]:
    """Cut crops (N, H, W, 3), BGR, uint8, of the best images there are; say what these are.

    Those are the files, each cut as a whole; else people of the test set, if its files exist; else
    generated ones.
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
    return crops.permute(0, 2, 3, 1).contiguous().numpy(), source


def verify(network: ExportNetwork, exported: bytes, crops: np.ndarray) -> Agreement:
    """Compare ONNX Runtime's outputs with PyTorch's, of the first crop and of all (N, H, W, 3)."""
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

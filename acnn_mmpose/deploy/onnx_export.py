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
from torch import Tensor, nn

from ..datasets import read_image
from ..errors import ACNNError, import_package
from ..files import make_folder, write_whole
from ..models import ACNN, PHASES, stack_masks
from ..toy.dataset import draw_person_image
from ..version import __version__
from .onnx_crop import check_boxes, cut_crops, find_crop_boxes
from .onnx_predictor import KEY, ModelCard, start_session

OPSET = 13  # old enough for every runtime; the network needs nothing newer
TOLERANCE = 1e-5
NUM_CROPS = 8  # unless images are named


class Exported(NamedTuple):
    """What was written: shapes of outputs by name, without batch, and :func:`verify`'s error."""

    shapes: dict[str, tuple[int, ...]]
    relative_error: float


def export_onnx(
    model: ACNN, file: str | Path, with_masks: bool = False, images: Sequence[str] = ()
) -> Exported:
    """Write a network to an .onnx file with a dynamic batch, once ONNX Runtime agrees with PyTorch.

    Args:
        model: From :func:`acnn_mmpose.engine.load_model`, on the CPU.
        file: The file to write, replaced if it exists.
        with_masks: Export the masks, too.
        images: Image files to compare outputs on; by default generated people.

    Raises:
        ACNNError: If a predictor would do otherwise than MMPose, packages are missing, outputs
            differ, or the file can't be written. There is no new file then.
    """
    path = Path(file)
    if path.suffix != '.onnx' or path.is_dir():
        raise ACNNError(f'{file} must be a file name that ends in .onnx')
    make_folder(path.parent, f'the folder of {path.name}')
    # the second to compare with, in the end: say early that it is missing
    onnx, _ = (import_package(name, 'an export') for name in ('onnx', 'onnxruntime'))
    if model.deployed:
        raise ACNNError('export a model before switch_to_deploy: ONNX Runtime folds norms itself')
    card = make_card(model)
    if with_masks and not (PHASES[model.phase].uses_masks and len(model.backbone.mask_branches)):
        raise ACNNError(
            f'this network has no masks to export: phase {model.phase!r}, mask_mode '
            f'{model.backbone.mask_mode!r}, {model.backbone.num_stages} stages; export without'
        )
    network = ExportNetwork(model, card.input_size, with_masks)
    content = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(trace(network)))
    onnx.helper.set_model_props(content, {KEY: card.to_json()})
    exported = content.SerializeToString()
    error = verify(network, exported, find_crops(card, images))
    write_whole(path, exported)
    shapes = {
        output.name: tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim[1:])
        for output in content.graph.output
    }
    return Exported(shapes, error)


def make_card(model: ACNN) -> ModelCard:
    """Gather what a predictor must know; refuse what it does not know how to do."""
    decoder, options, meta = model.head.decoder, model.test_cfg, model.dataset_meta
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline).transforms
    boxes = [step for step in pipeline if isinstance(step, GetBBoxCenterScale)]
    affines = [step for step in pipeline if isinstance(step, TopdownAffine)]
    if len(boxes) != 1 or len(affines) != 1 or affines[0].use_udp:
        raise ACNNError(
            'a test pipeline can be exported that has one GetBBoxCenterScale and one TopdownAffine '
            'with use_udp=False'
        )
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
        padding=float(boxes[0].padding),
        flip_test=bool(options.get('flip_test', False)),
        shift_heatmap=bool(options.get('shift_heatmap', False)),
        sigma=float(decoder.sigma),
        phase=model.phase,
        mask_mode=model.backbone.mask_mode,
        version=__version__,
    )


class ExportNetwork(nn.Module):
    """A model in eval mode with its preprocessor: from uint8 crops to heatmaps, maybe masks."""

    def __init__(self, model: ACNN, input_size: Sequence[int], with_masks: bool) -> None:
        super().__init__()
        self.model = model
        self.input_size = input_size
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


def find_crops(card: ModelCard, files: Sequence[str] = ()) -> np.ndarray:
    """Cut crops (N, H, W, 3), BGR, uint8, of whole image files, or of generated people."""
    images = [read_image(file) for file in files]
    if not images:
        images = [draw_person_image(np.random.default_rng(i)).image for i in range(NUM_CROPS)]
    crops = []
    for image in images:
        boxes = check_boxes(None, image.shape)
        crop_boxes = find_crop_boxes(boxes, card.input_size, card.padding)
        crops.append(cut_crops(image, crop_boxes, card.input_size))
    return np.concatenate(crops)


def verify(network: ExportNetwork, exported: bytes, crops: np.ndarray) -> float:
    """Compare ONNX Runtime's outputs with PyTorch's, of the first crop and of all (N, H, W, 3).

    Returns:
        The largest difference over the largest value, both absolute; hard masks, of 0 and 1, can
        only be equal.
    """
    session = start_session(exported)
    errors = []
    for batch in (crops[:1], crops):
        with torch.no_grad():
            expected = [output.numpy() for output in network(torch.from_numpy(batch))]
        outputs = session.run(None, {'images': batch})
        for name, wanted, got in zip(network.output_names, expected, outputs):
            error, largest = np.abs(got - wanted).max(), np.abs(wanted).max()
            if not error <= TOLERANCE * largest:  # not: NaN is no agreement either
                raise ACNNError(
                    f"ONNX Runtime's {name} differ from PyTorch's by {error:.1e}, where the "
                    f'largest value is {largest:.2g}: nothing was written; where the sigmoid of a '
                    'hard mask is at its threshold up to rounding, other images (--verify) will do'
                )
            errors.append(float(error / (largest or 1)))
    return max(errors)

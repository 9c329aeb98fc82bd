"""From a trained network to an .onnx file that has been checked against PyTorch.

Shape legend: N crops, K joints, S stages, H x W crop, h x w heatmap.
"""

from __future__ import annotations

import inspect
import os
import tempfile
import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmengine.dataset import Compose
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from torch import Tensor, nn

from ..errors import ACNNError
from ..models import ACNN, PHASES, stack_masks
from ..version import __version__
from .onnx_card import KEY, ModelCard
from .onnx_session import import_package
from .onnx_verify import Agreement, verify

OPSET = 13  # old enough for every runtime; the network needs nothing newer


class Exported(NamedTuple):
    """What was written.

    Attributes:
        shapes: Of the outputs, batch left out, by name.
        size: Of the file, in bytes.
        agreement: How it compares with PyTorch.
    """

    shapes: dict[str, tuple[int, ...]]
    size: int
    agreement: Agreement


class ExportNetwork(nn.Module):
    """The network as a predictor wants it: crops as OpenCV cuts them in, heatmaps out.

    Args:
        model: In eval mode.
        input_size: Width and height of a crop, in pixels.
        with_masks: Output the masks, too.
    """

    def __init__(self, model: ACNN, input_size: tuple[int, int], with_masks: bool) -> None:
        super().__init__()
        self.model = model
        self.input_size = input_size
        self.mask_mode = model.backbone.mask_mode
        self.output_names = ('heatmaps', 'masks') if with_masks else ('heatmaps',)
        self.eval()

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """Map crops to heatmaps.

        Args:
            images: (N, H, W, 3), BGR, uint8; the model's own preprocessor is part of the network.

        Returns:
            P(S), (N, K, h, w), and, if asked for, M(1) to M(S-1), (N, S - 1, h, w); float32.
        """
        batch = {'inputs': images.permute(0, 3, 1, 2), 'data_samples': []}
        width, height = self.input_size
        # the preprocessor pads to a size that tracing can't know: by nothing, so say it
        inputs = self.model.data_preprocessor(batch)['inputs'].reshape(-1, 3, height, width)
        stages = self.model.extract_feat(inputs)
        outputs = (self.model.head(stages)[-1], stack_masks(stages))
        return outputs[: len(self.output_names)]


def export_onnx(
    model: ACNN, file: str | Path, crops: np.ndarray, with_masks: bool = False
) -> Exported:
    """Write a network to an .onnx file with a dynamic batch, once ONNX Runtime agrees with PyTorch.

    Args:
        model: From :func:`acnn_mmpose.engine.load_model`, on the CPU.
        file: The file to write, replaced if it exists.
        crops: What to compare outputs on, (N, H, W, 3), BGR, uint8.
        with_masks: Export the masks, too.

    Raises:
        ACNNError: If the network can't be exported so that a predictor does what MMPose does,
            packages are missing, outputs differ, or the file can't be written. There is no new
            file then.
    """
    path = _check_file(file)
    onnx = import_package('onnx')
    card = make_card(model)
    if with_masks:
        _check_masks(model)
    network = ExportNetwork(model, tuple(card.input_size), with_masks)
    content = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(_trace(network)))
    onnx.helper.set_model_props(content, {KEY: card.to_json()})
    exported = content.SerializeToString()
    agreement = verify(network, exported, crops)
    _write(path, exported)
    shapes = {
        output.name: tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim[1:])
        for output in content.graph.output
    }
    return Exported(shapes, len(exported), agreement)


def make_card(model: ACNN) -> ModelCard:
    """Gather what a predictor must know from the model and its test pipeline.

    Raises:
        ACNNError: If the model predicts in a way that the predictor does not know.
    """
    pipeline = Compose(model.cfg.test_dataloader.dataset.pipeline).transforms
    boxes = [step for step in pipeline if isinstance(step, GetBBoxCenterScale)]
    affines = [step for step in pipeline if isinstance(step, TopdownAffine)]
    decoder, options = model.head.decoder, model.test_cfg
    if not isinstance(decoder, MSRAHeatmap) or decoder.unbiased:
        raise ACNNError('only the codec MSRAHeatmap with unbiased=False can be exported')
    if len(boxes) != 1 or len(affines) != 1 or affines[0].use_udp:
        raise ACNNError(
            'a test pipeline can be exported that has one GetBBoxCenterScale and one TopdownAffine '
            'with use_udp=False'
        )
    if tuple(affines[0].input_size) != tuple(decoder.input_size):
        raise ACNNError(
            f'crops of {affines[0].input_size} do not fit a codec for {decoder.input_size} pixels'
        )
    if options.get('flip_mode', 'heatmap') != 'heatmap' or options.get('output_keypoint_indices'):
        raise ACNNError(
            "only test_cfg.flip_mode='heatmap' without output_keypoint_indices can be exported"
        )
    meta = model.dataset_meta
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


def _check_file(file: str | Path) -> Path:
    """Check, before anything long starts, that a file can be written; make its folder."""
    path = Path(file)
    if path.suffix != '.onnx' or path.is_dir():
        raise ACNNError(f'{file} must be a file name that ends in .onnx')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ACNNError(f'the folder of {file} can not be made ({error.strerror})') from error
    return path


def _check_masks(model: ACNN) -> None:
    """Check that there are masks that mean something."""
    if not PHASES[model.phase].uses_masks or not len(model.backbone.mask_branches):
        raise ACNNError(
            f'this network has no masks to export: phase {model.phase!r}, mask_mode '
            f'{model.backbone.mask_mode!r}, {model.backbone.num_stages} stages; export without'
        )


def _trace(network: ExportNetwork) -> bytes:
    """Turn a network into ONNX.

    By tracing (TorchScript), which torch has had since before 2.1 and which needs onnx only; the
    newer exporter needs onnxscript.
    """
    width, height = network.input_size
    example = torch.zeros(2, height, width, 3, dtype=torch.uint8)
    names = ('images', *network.output_names)
    has_choice = 'dynamo' in inspect.signature(torch.onnx.export).parameters  # torch >= 2.5
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
            **({'dynamo': False} if has_choice else {}),
        )
        return path.read_bytes()


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(f'{path.name}.partial')
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise ACNNError(f'{path} could not be written ({error.strerror})') from error

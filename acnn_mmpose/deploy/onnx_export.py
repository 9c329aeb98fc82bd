"""From a trained network to an .onnx file that has been compared with PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmengine.dataset import Compose
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine

from ..errors import ACNNError
from ..files import write_whole
from ..models import ACNN, PHASES
from ..version import __version__
from .onnx_card import KEY, ModelCard
from .onnx_network import ExportNetwork, trace
from .onnx_session import import_package
from .onnx_verify import Agreement, find_crops, verify


class Exported(NamedTuple):
    """What was written.

    Attributes:
        shapes: Of the outputs, batch left out, by name.
        size: Of the file, in bytes.
        compared_on: What crops the file was compared with PyTorch on, in words.
        agreement: How it compares.
    """

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
        ACNNError: If the network can't be exported so that a predictor does what MMPose does,
            packages are missing, outputs differ, or the file can't be written. There is no new
            file then.
    """
    path = _check_file(file)
    onnx = import_package('onnx')
    import_package('onnxruntime')  # to compare with, in the end: say early that it is missing
    _check_network(model)
    card = make_card(model)
    if with_masks:
        _check_masks(model)
    crops = find_crops(model, images)
    network = ExportNetwork(model, card.input_size, with_masks)
    content = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(trace(network)))
    onnx.helper.set_model_props(content, {KEY: card.to_json()})
    exported = content.SerializeToString()
    agreement = verify(network, exported, crops.images)
    write_whole(path, exported)
    shapes = {
        output.name: tuple(dim.dim_value for dim in output.type.tensor_type.shape.dim[1:])
        for output in content.graph.output
    }
    return Exported(shapes, len(exported), crops.source, agreement)


def make_card(model: ACNN) -> ModelCard:
    """Gather what a predictor must know from the model and its test pipeline.

    Raises:
        ACNNError: If the model predicts in a way that the predictor does not know.
    """
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


def _check_network(model: ACNN) -> None:
    """Check that the network is as it was trained."""
    if model.deployed:
        raise ACNNError('export a model before switch_to_deploy: ONNX Runtime folds norms itself')


def _check_masks(model: ACNN) -> None:
    """Check that there are masks that mean something."""
    if not PHASES[model.phase].uses_masks or not len(model.backbone.mask_branches):
        raise ACNNError(
            f'this network has no masks to export: phase {model.phase!r}, mask_mode '
            f'{model.backbone.mask_mode!r}, {model.backbone.num_stages} stages; export without'
        )

"""What is exported: the network with crops as OpenCV cuts them in, and heatmaps out.

Shape legend: N crops, K joints, S stages, H x W crop, h x w heatmap.
"""

from __future__ import annotations

import inspect
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..models import ACNN, stack_masks

OPSET = 13  # old enough for every runtime; the network needs nothing newer


class ExportNetwork(nn.Module):
    """The network with its preprocessor, from uint8 crops to heatmaps and masks.

    Args:
        model: In eval mode.
        input_size: Width and height of a crop, in pixels.
        with_masks: Output the masks, too.
    """

    def __init__(self, model: ACNN, input_size: Sequence[int], with_masks: bool) -> None:
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


def trace(network: ExportNetwork) -> bytes:
    """Turn a network into the content of an .onnx file with a dynamic batch.

    By tracing (TorchScript), which torch has had since before 2.1 and which needs onnx only; the
    newer exporter needs onnxscript.
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

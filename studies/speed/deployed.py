"""Networks made for prediction only. Each function prepares one case."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from acnn_mmpose.deploy.onnx_export import export_onnx
from acnn_mmpose.deploy.onnx_predictor import Predictor

import cv2
import torch
from mmpose.apis import init_model

from .networks import build_network
from .setup import Setup


def deployed_pass(
    setup: Setup, size: int, dtype: torch.dtype = torch.float32, compile: bool = False
) -> Callable[[], Any]:
    """Prepare the forward pass of a deployed network.

    Args:
        setup: What the cases share.
        size: Images per batch.
        dtype: What the backbone computes in.
        compile: Whether it is compiled.
    """
    model = build_network(setup.network('ACNN'), setup.device)
    model.switch_to_deploy(dtype, compile)
    inputs = model.data_preprocessor(setup.batch(size))['inputs']

    @torch.no_grad()
    def run() -> Any:
        return model(inputs, None, mode='tensor')

    return run


def onnx_prediction(setup: Setup) -> Callable[[], Any]:
    """Prepare the prediction of one person by ONNX Runtime, with the config's flip test."""
    model = init_model(setup.network('ACNN'), device='cpu')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'network.onnx')
        export_onnx(model, path)
        predictor = Predictor(path)
    image = cv2.imread(setup.people[0]['img_path'])
    return lambda: predictor(image, setup.people[0]['bbox'])

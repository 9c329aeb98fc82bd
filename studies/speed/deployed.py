"""Networks made for prediction only. Each function prepares one case."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from acnn_mmpose.deploy.onnx_export import export_onnx
from acnn_mmpose.deploy.onnx_predictor import Predictor
from acnn_mmpose.models.regions import Window, force_window

import cv2
import torch
from mmpose.apis import init_model

from .networks import build_network
from .setup import Setup


def deployed_pass(
    setup: Setup,
    size: int,
    dtype: torch.dtype = torch.float32,
    compile: bool = False,
    half_map: bool = False,
    one_stage: bool = False,
) -> Callable[[], Any]:
    """Prepare the forward pass of a deployed network.

    Args:
        setup: What the cases share.
        size: Images per batch.
        dtype: What the backbone computes in.
        compile: Whether it is compiled.
        half_map: Let stages 2 to S compute only the window that the masks keep, and let the masks
            keep half of the map: all of its height, the middle half of its width.
        one_stage: The stem and the first stage alone.
    """
    cfg = setup.network('ACNN')
    cfg.model.backbone.regions = half_map
    if one_stage:
        cfg.model.phase = 'pose'
        cfg.model.backbone.num_stages = cfg.model.head.num_stages = 1
    model = build_network(cfg, setup.device)
    model.switch_to_deploy(dtype, compile)
    inputs = model.data_preprocessor(setup.batch(size))['inputs']
    middle = middle_window(setup)

    @torch.no_grad()
    def run() -> Any:
        if not half_map:
            return model(inputs, None, mode='tensor')
        with force_window(model.backbone.mask_branches, cast(Window, middle)):
            return model(inputs, None, mode='tensor')

    return run


def middle_window(setup: Setup) -> Window | None:
    """Find the window that has the middle half of the feature map's width, and all of its height.

    Returns:
        None if it does not lie on the grid on which the hourglass pools.
    """
    width, height = setup.cfg.model.head.decoder.heatmap_size
    grid = 2**setup.cfg.model.backbone.depth
    return None if width % (4 * grid) else Window(0, width // 4, height, width // 2)


def onnx_prediction(setup: Setup) -> Callable[[], Any]:
    """Prepare the prediction of one person by ONNX Runtime, with the config's flip test."""
    model = init_model(setup.network('ACNN'), device='cpu')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'network.onnx')
        export_onnx(model, path)
        predictor = Predictor(path)
    image = cv2.imread(setup.people[0]['img_path'])
    return lambda: predictor(image, setup.people[0]['bbox'])

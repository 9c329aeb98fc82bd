"""Networks made for prediction only. Each function prepares one case."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

from acnn_mmpose.deploy.onnx_export import export_onnx
from acnn_mmpose.deploy.onnx_predictor import Predictor
from acnn_mmpose.models import StageOutput
from studies.sparse import SparseHourglassNet, with_sparse_stages

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
    kept: float | None = None,
) -> Callable[[], Any]:
    """Prepare the forward pass of a deployed network.

    Args:
        setup: What the cases share.
        size: Images per batch.
        dtype: What the backbone computes in.
        compile: Whether it is compiled.
        kept: The share of the map that masks keep, other cells in every call; stages 2 to S are
            sparse. None: dense stages, and masks as they come.
    """
    cfg = setup.network('ACNN')
    if kept is not None:
        cfg = with_sparse_stages(cfg)
    model = build_network(cfg, setup.device)
    model.switch_to_deploy(dtype, compile)
    inputs = model.data_preprocessor(setup.batch(size))['inputs']
    if kept is not None:
        width, height = cfg.model.head.decoder.heatmap_size
        masks = [person_masks(size, height, width, kept).to(inputs.device, dtype) for _ in range(8)]
        _force_masks(model.backbone, cycle(masks))

    @torch.no_grad()
    def run() -> Any:
        return model(inputs, None, mode='tensor')

    return run


def person_masks(count: int, height: int, width: int, kept: float) -> torch.Tensor:
    """Make masks that keep the cells nearest to 16 points, as joints lie in a person's crop.

    Args:
        count: N, the number of people.
        height: h.
        width: w.
        kept: Which share of the cells is kept.

    Returns:
        (N, 1, h, w), each value 0 or 1.
    """
    size = torch.tensor([height, width])
    joints = size * (0.2 + 0.6 * torch.rand(count, 1, 16, 2))
    cells = torch.cartesian_prod(torch.arange(height), torch.arange(width)).view(1, -1, 1, 2)
    distance = (cells + 0.5 - joints).norm(dim=-1).amin(dim=-1)
    nearest = distance.argsort(dim=1)[:, : round(kept * height * width)]
    return torch.zeros_like(distance).scatter(1, nearest, 1).view(count, 1, height, width)


def _force_masks(backbone: SparseHourglassNet, masks: Iterator[torch.Tensor]) -> None:
    """Give a pass's stages the next mask in the place of theirs, which are still computed."""
    run_stage = backbone.run_sparse_stage

    def run(i: int, x: torch.Tensor, mask: torch.Tensor | None) -> StageOutput:
        stage = run_stage(i, x, mask)
        return stage if stage.mask is None else stage._replace(mask=mask)

    backbone.mask_branches[0].register_forward_hook(lambda *_: next(masks))
    backbone.run_sparse_stage = run  # type: ignore[method-assign]


def onnx_prediction(setup: Setup) -> Callable[[], Any]:
    """Prepare the prediction of one person by ONNX Runtime, with the config's flip test."""
    model = init_model(setup.network('ACNN'), device='cpu')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'network.onnx')
        export_onnx(model, path)
        predictor = Predictor(path)
    image = cv2.imread(setup.people[0]['img_path'])
    return lambda: predictor(image, setup.people[0]['bbox'])

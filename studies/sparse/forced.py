"""Sparse stages of a network with random weights, whose masks are forced to keep a share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import cycle
from typing import Any

from acnn_mmpose.models import StageOutput
from studies.speed import Case, Setup, Table
from studies.speed.deployed import deployed_pass
from studies.speed.networks import build_network
from studies.speed.table import spell

import torch

from .network import SparseHourglassNet, with_sparse_stages

KEPT_SHARES = (0.15, 0.2, 0.3, 0.4, 0.5, 0.66)


def compare_shares(setup: Setup, size: int, dtype: torch.dtype) -> Table:
    """Compare sparse stages with dense ones, over the share of the map that masks keep.

    Args:
        setup: What the cases share.
        size: Images per forward pass.
        dtype: What the backbone computes in.
    """
    cases = [Case('dense', partial(deployed_pass, setup, size, dtype), size, dtype)]
    for kept in KEPT_SHARES:
        build = partial(forced_pass, setup, size, dtype, kept)
        cases.append(Case(f'sparse, {kept:.0%} kept', build, size, dtype))
    title = f'Forward pass, forced masks, deployed in {spell(dtype)}, batch of {size}'
    return Table(title, cases, setup.device)


def forced_pass(setup: Setup, size: int, dtype: torch.dtype, kept: float) -> Callable[[], Any]:
    """Prepare the forward pass of a deployed network with sparse stages.

    Args:
        setup: What the cases share.
        size: Images per batch.
        dtype: What the backbone computes in.
        kept: The share of the map that masks keep, other cells in every call.
    """
    cfg = with_sparse_stages(setup.network('ACNN'))
    model = build_network(cfg, setup.device)
    model.switch_to_deploy(dtype)
    inputs = model.data_preprocessor(setup.batch(size))['inputs']
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
    run_stage = backbone.run_stage

    def run(i: int, x: torch.Tensor, mask: torch.Tensor | None) -> StageOutput:
        stage = run_stage(i, x, mask)
        return stage if stage.mask is None else stage._replace(mask=mask)

    backbone.mask_branches[0].register_forward_hook(lambda *_: next(masks))
    backbone.run_stage = run  # type: ignore[method-assign]

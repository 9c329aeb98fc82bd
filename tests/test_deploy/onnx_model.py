"""A small network with masks that are neither all ones nor all zeros, ready for export."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from acnn_mmpose.models import ACNN
from acnn_mmpose.models.attention import MaskBranch

import numpy as np
import pytest
import torch
from mmpose.apis import init_model

from tests.conftest import toy_phase


def make_model(toy_root: Path, number: int = 3, **options) -> ACNN:
    """Build the toy network of a phase, 128x128, as ``load_model`` would."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('ACNN_DATA_ROOT', str(toy_root))
        cfg = toy_phase(number, Path('unused'), **options)
    torch.manual_seed(0)
    model = init_model(cfg, device='cpu')
    inputs = torch.randn(4, 3, 128, 128)
    model.backbone.train()
    with torch.no_grad():  # statistics of BatchNorm, without which all heatmaps look alike
        model.backbone(inputs)
    model.eval()
    if not model.backbone.bypass_masks:
        (branch,) = model.backbone.mask_branches
        _keep_half(branch, lambda: model.backbone(inputs))
    return model


def _keep_half(branch: MaskBranch, run: Callable[[], Any]) -> None:
    """Set a mask branch so that it keeps half of what it sees in ``run``."""
    torch.nn.init.normal_(branch.logit.weight)
    logits = []
    hook = branch.logit.register_forward_hook(lambda *args: logits.append(args[2]))
    with torch.no_grad():
        run()
    hook.remove()
    branch.logit.bias.data -= logits[0].median()


def noise_crops(count: int) -> np.ndarray:
    """Make crops (count, 128, 128, 3), uint8."""
    return np.random.default_rng(0).integers(0, 256, (count, 128, 128, 3), np.uint8)

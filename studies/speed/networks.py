"""What networks do: forward passes, training steps, predictions. Each function prepares one case.

In all of them ``plain`` undoes what makes this package fast: contiguous weights and images, and
torch's default form of the optimizer.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

from acnn_mmpose.allocator import keep_freed_memory
from acnn_mmpose.engine import amp_dtype, enable_amp

import cv2
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmpose.apis import inference_topdown, init_model
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS

from .setup import Setup

Run = Callable[[], Any]


def forward_pass(
    setup: Setup, network: str, size: int, plain: bool = False, amp: bool = False
) -> Run:
    """Prepare the forward pass of a batch of ``size`` images to the last heatmaps."""
    model = build_network(setup.network(network), setup.device, plain).eval()
    inputs = model.data_preprocessor(setup.batch(size))['inputs']
    dtype = amp_dtype(setup.device)
    device_type = torch.device(setup.device).type

    @torch.no_grad()
    def run() -> Any:
        with torch.autocast(device_type, dtype, enabled=amp):
            return model(inputs, None, mode='tensor')

    return run


def training_step(setup: Setup, network: str, plain: bool = False, amp: bool = False) -> Run:
    """Prepare a training step as the Runner does it: forward, loss, backward, optimizer."""
    if torch.device(setup.device).type == 'cpu':
        keep_freed_memory()  # as in training; this process does so from here on
    cfg = setup.network(network)
    if amp:
        enable_amp(cfg, setup.device)
    if plain:
        cfg.optim_wrapper.optimizer.pop('foreach', None)
    model = build_network(cfg, setup.device, plain).train()
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    batch = setup.batch(setup.cfg.train_dataloader.batch_size)
    return lambda: model.train_step(batch, wrapper)


def prediction(
    setup: Setup,
    network: str,
    flip_test: bool = True,
    in_two_passes: bool = False,
    deploy: torch.dtype | None = None,
) -> Run:
    """Prepare MMPose's ``inference_topdown`` of one person in an image that has been read.

    Args:
        setup: What the cases share.
        network: Which network.
        flip_test: Whether the mirror image is predicted, too.
        in_two_passes: One after the other, as in MMPose, instead of as one batch.
        deploy: Deploy the network to compute in this precision.
    """
    model = init_model(setup.network(network), device=setup.device)
    model.test_cfg = {**model.test_cfg, 'flip_test': flip_test}
    if in_two_passes:
        model.predict = MethodType(TopdownPoseEstimator.predict, model)
    if deploy is not None:
        model.switch_to_deploy(deploy)
    image = cv2.imread(setup.people[0]['img_path'])
    return lambda: inference_topdown(model, image, setup.people[0]['bbox'])


def matrix_product(device: str, dtype: torch.dtype) -> Run:
    """Prepare a large matrix multiplication, the yardstick of what the machine can do."""
    side = 2048 if torch.device(device).type == 'cpu' else 8192  # milliseconds to tens of them
    left, right = torch.randn(2, side, side, device=device, dtype=dtype)
    return lambda: left @ right


def build_network(cfg: Config, device: str, plain: bool = False) -> BaseModel:
    """Build a network with the same random weights every time."""
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).to(device)
    if plain:
        model.to(memory_format=torch.contiguous_format)
        model.backbone.stem.register_forward_pre_hook(lambda _, args: (args[0].contiguous(),))
    return model

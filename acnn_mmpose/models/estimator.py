"""The estimator, which owns the phase: what trains, what is frozen, whether masks apply."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from torch import Tensor, nn

from ..errors import ACNNError
from .backbone import StageOutput
from .deployment import compile_frozen
from .weights import describe_mismatch


class Phase(NamedTuple):
    """One of the paper's training phases (Sec. 3.3)."""

    trains_pose: bool  # task A, everything but the mask branches; otherwise frozen
    trains_attention: bool  # task B, the mask branches; otherwise frozen
    uses_masks: bool  # otherwise they are all ones and their branches do not run
    follows: str | None  # the phase whose last checkpoint this one starts from


PHASES = {
    'pose': Phase(trains_pose=True, trains_attention=False, uses_masks=False, follows=None),
    'attention': Phase(trains_pose=False, trains_attention=True, uses_masks=True, follows='pose'),
    'joint': Phase(trains_pose=True, trains_attention=True, uses_masks=True, follows='attention'),
}


@MODELS.register_module()
class ACNN(TopdownPoseEstimator):
    """Top-down pose estimator that trains in the paper's three phases.

    A frozen task has ``requires_grad=False`` on every parameter, hence no optimizer state, and
    its BatchNorm layers stay in eval mode, so that their statistics do not move.

    Args:
        phase: ``'pose'`` trains task A with all masks ones, ``'attention'`` trains task B with
            task A frozen, ``'joint'`` trains both (Sec. 3.3).
        norm_eval: Keep the statistics of all norms, also of those that train. Masks change what
            later stages get: a batch has other statistics than those that poses were learned with.
        **kwargs: Arguments of MMPose's :class:`TopdownPoseEstimator`; the backbone must be an
            :class:`AttentionHourglassNet`.
    """

    def __init__(self, phase: str, norm_eval: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if phase not in PHASES:
            raise ACNNError(f'unknown phase {phase!r}: choose one of {tuple(PHASES)}')
        rules = PHASES[phase]
        if rules.trains_attention and not len(self.backbone.mask_branches):
            raise ACNNError(
                f'phase {phase!r} trains mask branches, but this backbone has none: it needs '
                "at least 2 stages and mask_mode 'hard' or 'soft'"
            )
        if self.backbone.reinjection not in (0, self.head.out_channels):
            raise ACNNError(
                f'the backbone re-injects {self.backbone.reinjection} heatmaps, but the head makes '
                f'{self.head.out_channels}: set model.backbone.reinjection to that, or to 0'
            )
        self.phase = phase
        self.norm_eval = norm_eval
        self.deployed = False
        self.backbone.bypass_masks = not rules.uses_masks
        # a tuple, so that the layers are the head's alone
        self.backbone.heatmap_layers = tuple(self.head.multi_final_layers)
        self.requires_grad_(rules.trains_pose)
        self.backbone.mask_branches.requires_grad_(rules.trains_attention)
        # the format of the features (see the backbone); gradients and averages take the weights'
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> ACNN:
        """Switch to training or eval mode; what the phase freezes stays in eval mode."""
        if mode and self.deployed:
            raise ACNNError(
                'a deployed model has no norms left to train: build it anew from its config and '
                'checkpoint'
            )
        super().train(mode)
        rules = PHASES[self.phase]
        self.backbone.train(mode and rules.trains_pose)
        self.head.train(mode and rules.trains_pose)
        self.backbone.mask_branches.train(mode and rules.trains_attention)
        for module in self.modules() if self.norm_eval else ():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):  # SyncBatchNorm, too
                module.eval()
        return self

    def switch_to_deploy(self, dtype: torch.dtype = torch.float32, compile: bool = False) -> None:
        """Make prediction faster, for good: MMPose's hook, to be called on a loaded model.

        Norms are folded into convolutions, mask branches that do not run are dropped, weights are
        laid out channels-last. Heatmaps and what follows from them stay float32.

        Args:
            dtype: What the backbone's convolutions compute in, ``torch.float32`` or
                ``torch.bfloat16``.
            compile: Also compile the backbone, on its first call and on that with another batch or
                image size, half a minute each; a CPU needs a C++ compiler for it.
        """
        if self.deployed:
            raise ACNNError('this model is deployed already: build a new one for other options')
        if dtype not in (torch.float32, torch.bfloat16):
            raise ACNNError(f'deploy with dtype torch.float32 or torch.bfloat16, not {dtype}')
        super().switch_to_deploy()
        self.eval()
        self.requires_grad_(False)
        self.backbone.to(memory_format=torch.channels_last)
        for module in self.backbone.modules():
            if isinstance(module, nn.Conv2d):  # norms compute in float32 whatever their input is
                module.to(dtype)
        if compile:
            self.backbone.forward = compile_frozen(self.backbone.forward)
        self.deployed = True

    def _load_state_dict_pre_hook(
        self, state_dict: dict[str, Tensor], prefix: str, *args: Any, **kwargs: Any
    ) -> None:
        """Refuse weights that this model has no place for; MMEngine would warn and load what fits.

        Only mask branches may be missing or superfluous: they are not part of every phase.
        """
        if self.deployed:
            raise ACNNError('load the checkpoint first, then deploy: a deployed model takes none')
        super()._load_state_dict_pre_hook(state_dict, prefix, *args, **kwargs)
        weights = {
            key[len(prefix) :]: value for key, value in state_dict.items() if key.startswith(prefix)
        }
        mismatch = describe_mismatch(self, weights, masks_optional=True)
        if mismatch:
            raise ACNNError(
                f'the weights are not those of this network: {mismatch}; give a checkpoint with '
                'the same num_stages, channels, depth and joints'
            )

    def extract_feat(self, inputs: Tensor) -> tuple[StageOutput, ...]:
        """Run the backbone; a deployed one to float32, or a peak's neighbours would be equal."""
        stages = super().extract_feat(inputs)
        if not self.deployed:
            return stages
        return tuple(stage._replace(feature=stage.feature.float()) for stage in stages)

    def predict(self, inputs: Tensor, data_samples: list[PoseDataSample]) -> list[PoseDataSample]:
        """Predict poses of normalised images (N, 3, H, W); arguments and result are MMPose's.

        The flip test of a single image runs it and its mirror image as one batch. Larger batches
        run twice, as in MMPose: faster where twice the batch does not fit the cache.
        """
        if len(inputs) > 1 or not self.test_cfg.get('flip_test', False):
            return super().predict(inputs, data_samples)
        stages = self.extract_feat(torch.cat([inputs, inputs.flip(-1)]))
        halves = zip(*(_halve(stage) for stage in stages))
        result = self.head.predict([*halves], data_samples, test_cfg=self.test_cfg)
        instances, fields = result if isinstance(result, tuple) else (result, None)
        return self.add_pred_to_datasample(instances, fields, data_samples)

    def add_pred_to_datasample(
        self,
        batch_pred_instances: list[InstanceData],
        batch_pred_fields: list[PixelData] | None,
        batch_data_samples: list[PoseDataSample],
    ) -> list[PoseDataSample]:
        """Map keypoints, and those of every stage, from the crop to the image.

        Instances with attention masks also get where these lie: ``input_center`` (1, 2) and
        ``input_scale`` (1, 2), the crop's center, width and height in pixels of the image.
        """
        for pred, sample in zip(batch_pred_instances, batch_data_samples):
            if 'attention_masks' in pred:
                pred.input_center = np.array([sample.metainfo['input_center']], np.float32)
                pred.input_scale = np.array([sample.metainfo['input_scale']], np.float32)
            if 'stage_keypoints' in pred:
                meta = sample.metainfo
                # in place and in this order, as MMPose maps `keypoints`: equal to the last bit
                pred.stage_keypoints[...] = (
                    pred.stage_keypoints / meta['input_size'] * meta['input_scale']
                    + meta['input_center']
                    - 0.5 * meta['input_scale']
                )
        return super().add_pred_to_datasample(
            batch_pred_instances, batch_pred_fields, batch_data_samples
        )


def _halve(stage: StageOutput) -> tuple[StageOutput, StageOutput]:
    """Take a stage's output of images and mirror images (2N, ...) apart."""
    parts = [(None, None) if value is None else value.chunk(2) for value in stage]
    first, second = zip(*parts)
    return StageOutput(*first), StageOutput(*second)

"""The estimator, which owns the phase: what trains, what is frozen, whether masks apply."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from ..errors import ACNNError


class Phase(NamedTuple):
    """One of the paper's training phases (Sec. 3.3).

    Attributes:
        trains_pose: Task A, everything but the mask branches, is trained; otherwise frozen.
        trains_attention: Task B, the mask branches, is trained; otherwise frozen.
        uses_masks: The masks apply; otherwise they are all ones and their branches do not run.
        follows: The phase whose last checkpoint this one starts from, or None.
    """

    trains_pose: bool
    trains_attention: bool
    uses_masks: bool
    follows: str | None


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
        **kwargs: Arguments of MMPose's :class:`TopdownPoseEstimator`; the backbone must be an
            :class:`AttentionHourglassNet`.

    Raises:
        ACNNError: If the phase is unknown, or trains masks that the backbone does not have.
    """

    def __init__(self, phase: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if phase not in PHASES:
            raise ACNNError(f'unknown phase {phase!r}: choose one of {tuple(PHASES)}')
        rules = PHASES[phase]
        if rules.trains_attention and not len(self.backbone.mask_branches):
            raise ACNNError(
                f'phase {phase!r} trains mask branches, but this backbone has none: it needs '
                "at least 2 stages and mask_mode 'hard' or 'soft'"
            )
        self.phase = phase
        self.backbone.bypass_masks = not rules.uses_masks
        self.requires_grad_(rules.trains_pose)
        self.backbone.mask_branches.requires_grad_(rules.trains_attention)
        # the format of the features (see the backbone); gradients and averages take the weights'
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> ACNN:
        """Switch to training or eval mode; what the phase freezes stays in eval mode."""
        super().train(mode)
        rules = PHASES[self.phase]
        self.backbone.train(mode and rules.trains_pose)
        self.head.train(mode and rules.trains_pose)
        self.backbone.mask_branches.train(mode and rules.trains_attention)
        return self

    def add_pred_to_datasample(
        self,
        batch_pred_instances: list[InstanceData],
        batch_pred_fields: list[PixelData] | None,
        batch_data_samples: list[PoseDataSample],
    ) -> list[PoseDataSample]:
        """Map keypoints, and those of every stage, from the crop to the image.

        Instances with attention masks also get what places these in the image:
        ``input_center`` (1, 2) and ``input_scale`` (1, 2), the crop's center and its width and
        height in pixels of the image.
        """
        for pred, sample in zip(batch_pred_instances, batch_data_samples):
            if 'attention_masks' in pred:
                pred.input_center = np.float32(sample.metainfo['input_center'])[None]
                pred.input_scale = np.float32(sample.metainfo['input_scale'])[None]
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

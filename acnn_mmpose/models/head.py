"""The head: heatmaps of every stage, combined into predictions (Eq. 3 to 5).

Shape legend: N batch, C channels, K joints, S stages, h x w heatmap.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData, PixelData
from mmpose.models.heads import CPMHead
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import MODELS
from torch import Tensor

from .backbone import StageOutput


@MODELS.register_module()
class ACNNHead(CPMHead):
    """Multi-stage heatmap head that keeps what earlier stages found in discarded regions.

    H(i) is a 1x1 convolution of stage i's feature, and the prediction of stage i is
    P(i) = H(i) + P(i-1) * not M(i-1), P(1) = H(1) (Eq. 4). Everything else is MMPose's
    :class:`CPMHead`: the loss, the mean over joints and cells of (P(i) - ground truth)^2, summed
    over stages (Eq. 3; Newell et al.'s intermediate supervision), and the decoding of the last
    stage, a joint being at argmax P(S) (Eq. 5), with flip test.

    Args:
        in_channels: C.
        out_channels: K.
        num_stages: S.
        loss: Config of the loss of one stage.
        decoder: Config of the codec that turns heatmaps into coordinates.
        coverage_loss: Config of a :class:`CoverageLoss` on the masks; the paper has none.
        init_cfg: MMEngine's config of the initialisation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_stages: int,
        loss: dict | None = None,
        decoder: dict | None = None,
        coverage_loss: dict | None = None,
        init_cfg: dict | None = None,
    ) -> None:
        super().__init__(
            in_channels,
            out_channels,
            num_stages,
            loss=loss or dict(type='KeypointMSELoss', use_target_weight=True),
            decoder=decoder,
            init_cfg=init_cfg,
        )
        self.coverage_loss = MODELS.build(coverage_loss) if coverage_loss else None

    def forward(self, feats: Sequence[StageOutput]) -> list[Tensor]:
        """Compute every stage's prediction, P(1) to P(S), each (N, K, h, w), always float32."""
        heatmaps = self.compute_heatmaps(feats)
        return combine_stages(heatmaps, [stage.mask for stage in feats])  # Eq. 4

    def compute_heatmaps(self, feats: Sequence[StageOutput]) -> list[Tensor]:
        """Compute H(1) to H(S), each (N, K, h, w)."""
        return super().forward([stage.feature for stage in feats])

    def loss(
        self, feats: Sequence[StageOutput], batch_data_samples: list, train_cfg: dict | None = None
    ) -> dict[str, Tensor]:
        """Compute the loss of every stage, summed (Eq. 3), and an accuracy to watch.

        The N data samples have ``gt_fields.heatmaps`` (K, h, w) and
        ``gt_instance_labels.keypoint_weights`` (1, K). Float32 scalars are returned: ``loss_kpt``,
        ``acc_pose``, of the last stage, in [0, 1], and, with masks and a price, ``loss_coverage``.
        """
        losses = super().loss(feats, batch_data_samples, train_cfg)  # Eq. 3
        masks = [stage.mask for stage in feats if stage.mask is not None]
        if self.coverage_loss is not None and masks:
            targets = torch.stack([sample.gt_fields.heatmaps for sample in batch_data_samples])
            losses['loss_coverage'] = self.coverage_loss(torch.cat(masks, dim=1), targets)
        return losses

    def predict(
        self, feats: Sequence, batch_data_samples: list, test_cfg: dict | None = None
    ) -> list[InstanceData] | tuple[list[InstanceData], list[PixelData]]:
        """Decode the last stage's prediction (Eq. 5), and the earlier ones if asked to.

        Args:
            feats: The backbone's S stage outputs; with ``flip_test`` a list of two of these, of
                the images and of the mirrored images.
            batch_data_samples: N data samples, for the joints' left-right pairs.
            test_cfg: MMPose's ``flip_test``, ``flip_mode``, ``shift_heatmap`` and
                ``output_heatmaps``, ``output_stages`` and ``output_attention``.

        Returns:
            N :class:`InstanceData` with ``keypoints`` (1, K, 2) in input pixels and
            ``keypoint_scores`` (1, K); with ``output_stages`` also ``stage_keypoints``
            (1, S, K, 2); with ``output_attention`` also ``attention_masks`` (1, S - 1, h, w) in
            [0, 1], M(1) to M(S-1), and ``attention_coverage`` (1, S - 1), the share of each that is
            kept. With ``output_heatmaps`` also N :class:`PixelData` with ``heatmaps`` (K, h, w),
            and with both ``stage_heatmaps`` and ``stage_predictions`` (1, S, K, h, w), H(1) to H(S)
            and P(1) to P(S). These and the masks are those of the unflipped pass, all float32.
        """
        test_cfg = test_cfg or {}
        result = super().predict(feats, batch_data_samples, test_cfg)  # Eq. 5
        preds = result[0] if isinstance(result, tuple) else result
        if test_cfg.get('output_stages', False):
            self._add_stage_keypoints(preds, feats, batch_data_samples, test_cfg)
        if test_cfg.get('output_attention', False):
            stages = feats[0] if test_cfg.get('flip_test', False) else feats
            self._add_attention(preds, stages, test_cfg.get('output_heatmaps', False))
        return result

    def _add_stage_keypoints(
        self, preds: list[InstanceData], feats: Sequence, batch_data_samples: list, test_cfg: dict
    ) -> None:
        """Decode P(1) to P(S-1) as P(S) has been; arguments as in :meth:`predict`."""
        if test_cfg.get('flip_test', False):
            flip_args = dict(
                flip_indices=batch_data_samples[0].metainfo['flip_indices'],
                flip_mode=test_cfg.get('flip_mode', 'heatmap'),
                shift_heatmap=test_cfg.get('shift_heatmap', False),
            )
            heatmaps, mirrored = (self.forward(stages)[:-1] for stages in feats)
            heatmaps = [
                (heatmap + flip_heatmaps(mirror, **flip_args)) * 0.5
                for heatmap, mirror in zip(heatmaps, mirrored)
            ]
        else:
            heatmaps = self.forward(feats)[:-1]
        for pred, *earlier in zip(preds, *map(self.decode, heatmaps)):
            stages = [stage.keypoints for stage in (*earlier, pred)]
            pred.stage_keypoints = np.stack(stages, axis=1)

    def _add_attention(
        self, preds: list[InstanceData], stages: Sequence[StageOutput], with_heatmaps: bool
    ) -> None:
        """Add masks to the instances: fields of instances survive MMPose's merge_data_samples."""
        for pred, masks in zip(preds, stack_masks(stages).cpu().numpy()):
            pred.attention_masks = masks[None]
            pred.attention_coverage = masks.mean(axis=(1, 2))[None]
        if with_heatmaps:
            for name, compute in (
                ('stage_heatmaps', self.compute_heatmaps),
                ('stage_predictions', self.forward),
            ):
                stacked = torch.stack(compute(stages), dim=1).detach().float().cpu().numpy()
                for pred, person in zip(preds, stacked):
                    pred.set_field(person[None], name)


def combine_stages(heatmaps: Sequence[Tensor], masks: Sequence[Tensor | None]) -> list[Tensor]:
    """Add to each stage's heatmaps what the stage before found in the discarded regions (Eq. 4).

    From H(1) to H(S), each (..., K, h, w), and M(1) to M(S-1) or more, each (..., 1, h, w) in
    [0, 1], None meaning all ones, to P(1) to P(S), float32.
    """
    predictions = [heatmaps[0].float()]
    for heatmap, mask in zip(heatmaps[1:], masks):
        prediction = heatmap.float()
        if mask is not None:
            prediction = prediction + predictions[-1] * (1 - mask.float())
        predictions.append(prediction)
    return predictions


def stack_masks(stages: Sequence[StageOutput]) -> Tensor:
    """Gather the masks between S stages, ones where there is none: (N, S - 1, h, w), detached."""
    masks = [
        torch.ones_like(stage.feature[:, :1]) if stage.mask is None else stage.mask
        for stage in stages[:-1]
    ]
    if not masks:
        n, _, h, w = stages[0].feature.shape
        return stages[0].feature.new_zeros((n, 0, h, w))
    return torch.cat(masks, dim=1).detach().float()

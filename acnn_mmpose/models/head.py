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
    :class:`CPMHead`: the mean squared error of every stage's prediction, summed (Eq. 3; Newell et
    al.'s intermediate supervision), and the decoding of the last one (Eq. 5), with flip test.

    Args:
        in_channels: C.
        out_channels: K.
        num_stages: S.
        loss: Config of the loss of one stage.
        decoder: Config of the codec that turns heatmaps into coordinates.
        init_cfg: MMEngine's config of the initialisation.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        num_stages: int,
        loss: dict | None = None,
        decoder: dict | None = None,
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

    def forward(self, feats: Sequence[StageOutput]) -> list[Tensor]:
        """Compute every stage's prediction.

        Args:
            feats: The backbone's S stage outputs.

        Returns:
            P(1) to P(S), each (N, K, h, w), float32 also under mixed precision.
        """
        heatmaps = super().forward([stage.feature for stage in feats])
        predictions: list[Tensor] = []
        previous_mask = None
        for heatmap, stage in zip(heatmaps, feats):
            prediction = heatmap.float()
            if previous_mask is not None:
                prediction = prediction + predictions[-1] * (1 - previous_mask.float())  # Eq. 4
            predictions.append(prediction)
            previous_mask = stage.mask
        return predictions

    def predict(
        self, feats: Sequence, batch_data_samples: list, test_cfg: dict | None = None
    ) -> list[InstanceData] | tuple[list[InstanceData], list[PixelData]]:
        """Decode the last stage's prediction, and those of the stages before it if asked to.

        Args:
            feats: The backbone's S stage outputs; with ``flip_test`` a list of two of these, of
                the images and of the mirrored images.
            batch_data_samples: N data samples, for the joints' left-right pairs.
            test_cfg: MMPose's ``flip_test``, ``flip_mode``, ``shift_heatmap`` and
                ``output_heatmaps``, and ``output_stages``.

        Returns:
            N :class:`InstanceData` with ``keypoints`` (1, K, 2) in input pixels and
            ``keypoint_scores`` (1, K); with ``output_stages`` also ``stage_keypoints``
            (1, S, K, 2), the last of which are ``keypoints``. With ``output_heatmaps`` also
            N :class:`PixelData` with ``heatmaps`` (K, h, w) and ``attention_masks``
            (S - 1, h, w), M(1) to M(S-1) of the unflipped image.
        """
        test_cfg = test_cfg or {}
        result = super().predict(feats, batch_data_samples, test_cfg)
        if test_cfg.get('output_stages', False):
            preds = result[0] if isinstance(result, tuple) else result
            self._add_stage_keypoints(preds, feats, batch_data_samples, test_cfg)
        if test_cfg.get('output_heatmaps', False):
            stages = feats[0] if test_cfg.get('flip_test', False) else feats
            for field, masks in zip(result[1], stack_masks(stages)):
                field.set_field(masks, 'attention_masks')
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


def stack_masks(stages: Sequence[StageOutput]) -> Tensor:
    """Gather the masks between stages, all ones where a stage has none.

    Args:
        stages: The backbone's S stage outputs.

    Returns:
        (N, S - 1, h, w), detached, float32 in [0, 1].
    """
    masks = [
        torch.ones_like(stage.feature[:, :1]) if stage.mask is None else stage.mask
        for stage in stages[:-1]
    ]
    if not masks:
        n, _, h, w = stages[0].feature.shape
        return stages[0].feature.new_zeros((n, 0, h, w))
    return torch.cat(masks, dim=1).detach().float()

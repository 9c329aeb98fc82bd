"""A network whose stages compute only what the mask before them keeps.

Importing this module registers it. It has the weights of an :class:`ACNN`, and is another function
of them: features in discarded cells are 0 inside a stage too.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, cast

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.models import ACNNHead, AttentionHourglassNet, MaskBranch, StageOutput

from mmengine.config import Config
from mmpose.registry import MODELS
from torch import Tensor

from .stages import run_sparse_stage


@MODELS.register_module()
class SparseHourglassNet(AttentionHourglassNet):
    """A backbone whose stages 2 to S are sparse (:mod:`.stages`).

    Args:
        *args: As of :class:`AttentionHourglassNet`.
        **kwargs: As of :class:`AttentionHourglassNet`.

    Raises:
        ACNNError: Where stages are others than a sparse stage computes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        branches = {type(branch) for branch in self.mask_branches} - {MaskBranch}
        if self.mask_mode != 'hard' or self.reinjection or branches:
            raise ACNNError(
                "sparse stages need mask_mode='hard', reinjection=0 and mask branches of type "
                f'MaskBranch, but got {self.mask_mode!r}, {self.reinjection} and '
                f'{self.mask_branch["type"]!r}'
            )

    def run_stages(self, x: Tensor) -> tuple[StageOutput, ...]:
        """Compute every stage but the first only in the cells that the mask before it keeps."""
        if self.bypass_masks:
            return super().run_stages(x)
        y = x + self.thetas[0](x)
        stages = [StageOutput(self.projections[0](y), self.compute_mask(0, y))]
        for i in range(1, self.num_stages):
            stages.append(self.run_stage(i, *stages[-1]))
        return tuple(stages)

    def run_stage(self, i: int, x: Tensor, mask: Tensor | None) -> StageOutput:
        """Map what stage i - 1 hands on, not yet masked, and M(i-1) to stage i's; from 0."""
        branch = cast(MaskBranch, self.mask_branches[i]) if i < len(self.mask_branches) else None
        layers = self.thetas[i], self.projections[i], branch
        return StageOutput(*run_sparse_stage(*layers, x, cast(Tensor, mask)))


@MODELS.register_module()
class SparseHead(ACNNHead):
    """A head to whose heatmaps cells that were not computed add nothing, not even a bias."""

    def compute_heatmaps(self, feats: Sequence[StageOutput]) -> list[Tensor]:
        """Compute H(1) to H(S), each (N, K, h, w), 0 where a stage was not computed."""
        heatmaps = super().compute_heatmaps(feats)
        masks = [None, *(stage.mask for stage in feats[:-1])]
        return [
            heatmap if mask is None else heatmap * mask for heatmap, mask in zip(heatmaps, masks)
        ]


def with_sparse_stages(cfg: Config) -> Config:
    """Return the config of the same network with sparse stages."""
    cfg = copy.deepcopy(cfg)
    cfg.model.backbone.type = SparseHourglassNet.__name__
    cfg.model.head.type = SparseHead.__name__
    return cfg

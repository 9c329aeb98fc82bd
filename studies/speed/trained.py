"""A trained network on the validation people: how right its predictions are, and how fast."""

from __future__ import annotations

from typing import Any

from acnn_mmpose.engine import check_data
from acnn_mmpose.engine.prediction import load_model
from acnn_mmpose.models import ACNN
from studies.sparse import with_sparse_stages

import numpy as np
import torch
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmpose.structures import PoseDataSample

from .setup import Setup


class PeopleOfBatches:
    """People that have been read: batches of them as the validation's data loader gives them.

    Args:
        setup: What the cases share.
        size: How many people make a batch.

    Raises:
        ACNNError: If the validation data is not there.
    """

    def __init__(self, setup: Setup, size: int) -> None:
        check_data(setup.cfg, 'val')
        loader = {**setup.cfg.val_dataloader, 'batch_size': size}
        loader.update(num_workers=0, persistent_workers=False)
        loader = Runner.build_dataloader(loader)
        self.meta = loader.dataset.metainfo
        self.count = len(loader.dataset)
        self.batches = list(loader)


class TrainedPrediction:
    """Prepare the prediction of all people by the checkpoint's network, deployed.

    Args:
        setup: What the cases share; it has a checkpoint.
        people: Whom to predict.
        dtype: What the backbone computes in.
        sparse: Whether stages compute only what the network's own masks keep.
        stages: After which stage to stop; its prediction counts.
    """

    def __init__(
        self, setup: Setup, people: PeopleOfBatches, dtype: torch.dtype, sparse: bool, stages: int
    ) -> None:
        self.evaluator = Evaluator(setup.cfg.val_evaluator)
        self.evaluator.dataset_meta = people.meta
        self.people = people
        cfg = with_sparse_stages(setup.cfg) if sparse else setup.cfg
        self.model = load_model(cfg, str(setup.checkpoint), setup.device)
        self.model.test_cfg = {**self.model.test_cfg, 'output_attention': True}
        stop_after(self.model, stages)
        self.model.switch_to_deploy(dtype)

    @torch.no_grad()
    def __call__(self) -> list[PoseDataSample]:
        """Predict everybody."""
        return [person for batch in self.people.batches for person in self.model.test_step(batch)]

    def score(self, predicted: list[PoseDataSample]) -> dict[str, float]:
        """Score what a call returned.

        Returns:
            ``pckh``, PCKh@0.5 in percent, and, of networks with masks, ``kept``: the share of the
            map that they keep on average.
        """
        self.evaluator.process(predicted)
        scores = dict(pckh=float(self.evaluator.evaluate(self.people.count)['PCK']))
        kept = np.stack([person.pred_instances.attention_coverage for person in predicted])
        return dict(scores, kept=float(kept.mean())) if kept.size else scores


def stop_after(model: ACNN, stages: int) -> None:
    """Drop the stages after one, in place."""
    backbone: Any = model.backbone
    backbone.num_stages = model.head.num_stages = stages
    backbone.thetas = backbone.thetas[:stages]
    backbone.projections = backbone.projections[:stages]
    backbone.mask_branches = backbone.mask_branches[: stages - 1]

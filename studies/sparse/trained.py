"""Trained networks on the validation people: how right their predictions are, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from statistics import mean, stdev
from typing import Any, NamedTuple

from acnn_mmpose.engine import check_data
from acnn_mmpose.engine.prediction import load_model
from acnn_mmpose.models import ACNN
from studies.speed import Case, Table
from studies.speed.table import spell

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.runner import Runner
from mmpose.structures import PoseDataSample


class Network(NamedTuple):
    """What is compared.

    Attributes:
        name: As the table shows it.
        cfg: Its config.
        checkpoints: Its weights, a file per seed.
    """

    name: str
    cfg: Config
    checkpoints: Sequence[str]


def compare_trained(
    networks: Sequence[Network], device: str, size: int, dtype: torch.dtype
) -> Table:
    """Compare networks, each whole and stopped after each stage but the first.

    Args:
        networks: The networks; everybody predicts the validation people of the first one.
        device: Where they compute.
        size: How many people make a batch.
        dtype: What the backbones compute in.

    Raises:
        ACNNError: If the validation data is not there.
    """
    people = PeopleOfBatches(networks[0].cfg, size)
    return Table(
        f'Trained networks, deployed in {spell(dtype)}, {people.count} people, batch of {size}',
        [
            Case(
                row_name(network, stages),
                partial(TrainedPrediction, network, people, device, dtype, stages),
                people.count,
                dtype,
            )
            for network in networks
            for stages in stages_to_stop_after(network)
        ],
        device,
        per='person',
    )


def stages_to_stop_after(network: Network) -> range:
    """List the stages from the last to the second: the first alone is far below."""
    return range(network.cfg.model.backbone.num_stages, 1, -1)


def row_name(network: Network, stages: int) -> str:
    """Name the row of a network that stops after a stage."""
    whole = stages == network.cfg.model.backbone.num_stages
    return network.name if whole else f'{network.name}, stopped after stage {stages}'


class PeopleOfBatches:
    """People that have been read: batches of them as the validation's data loader gives them.

    Args:
        cfg: The config of a network.
        size: How many people make a batch.

    Raises:
        ACNNError: If the validation data is not there.
    """

    def __init__(self, cfg: Config, size: int) -> None:
        check_data(cfg, 'val')
        loader = {**cfg.val_dataloader, 'batch_size': size}
        loader.update(num_workers=0, persistent_workers=False)
        loader = Runner.build_dataloader(loader)
        self.evaluator = Evaluator(cfg.val_evaluator)
        self.evaluator.dataset_meta = loader.dataset.metainfo
        self.count = len(loader.dataset)
        self.batches = list(loader)

    def score(self, predicted: list[PoseDataSample]) -> float:
        """Compute PCKh@0.5 in percent."""
        self.evaluator.process(predicted)
        return float(self.evaluator.evaluate(self.count)['PCK'])


class TrainedPrediction:
    """Prepare the prediction of all people by a network's first weights, deployed.

    Args:
        network: The network.
        people: Whom to predict.
        device: Where it computes.
        dtype: What the backbone computes in.
        stages: After which stage to stop; its prediction counts.
    """

    def __init__(
        self,
        network: Network,
        people: PeopleOfBatches,
        device: str,
        dtype: torch.dtype,
        stages: int,
    ) -> None:
        self.people = people
        self.load = partial(_load, network.cfg, device=device, dtype=dtype, stages=stages)
        self.others = network.checkpoints[1:]
        self.model = self.load(network.checkpoints[0])

    def __call__(self) -> list[PoseDataSample]:
        """Predict everybody."""
        return self._predict(self.model)

    @torch.no_grad()
    def _predict(self, model: ACNN) -> list[PoseDataSample]:
        return [person for batch in self.people.batches for person in model.test_step(batch)]

    def score(self, predicted: list[PoseDataSample]) -> dict[str, float]:
        """Score what a call returned, and what the weights of other seeds predict.

        Returns:
            ``pckh``, PCKh@0.5 in percent, the mean over seeds; of several its standard deviation
            ``pckh_sd``; and, of networks with masks, ``kept``: the share of the map that those of
            the first seed keep on average.
        """
        kept = np.stack([person.pred_instances.attention_coverage for person in predicted])
        pckh = [self.people.score(predicted)]
        for file in self.others:  # predictions are written into the people: one after the other
            pckh.append(self.people.score(self._predict(self.load(file))))
        scores = dict(pckh=mean(pckh))
        if len(pckh) > 1:
            scores['pckh_sd'] = stdev(pckh)
        return dict(scores, kept=float(kept.mean())) if kept.size else scores


def _load(cfg: Config, checkpoint: str, device: str, dtype: torch.dtype, stages: int) -> ACNN:
    """Load a network that stops after a stage, deployed."""
    model = load_model(cfg, checkpoint, device)
    model.test_cfg = {**model.test_cfg, 'output_attention': True}
    stop_after(model, stages)
    model.switch_to_deploy(dtype)
    return model


def stop_after(model: ACNN, stages: int) -> None:
    """Drop the stages after one, in place."""
    backbone: Any = model.backbone
    backbone.num_stages = model.head.num_stages = stages
    backbone.thetas = backbone.thetas[:stages]
    backbone.projections = backbone.projections[:stages]
    backbone.mask_branches = backbone.mask_branches[: stages - 1]

"""MMPose's PCKh metric with the paper's table, and the hook that saves it.

Legend: N people, K joints, S stages.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.dist import master_only
from mmengine.evaluator import Evaluator
from mmengine.hooks import Hook
from mmengine.logging import MMLogger
from mmengine.runner import Runner
from mmpose.evaluation.metrics import MpiiPCKAccuracy
from mmpose.registry import HOOKS, METRICS

from .pckh import evaluate_pckh
from .table import TableRow, format_text, published_rows, save_table


@METRICS.register_module()
class MpiiPCKhTable(MpiiPCKAccuracy):
    """:class:`MpiiPCKAccuracy`, its metrics unchanged, that also prints the paper's table.

    Where predictions carry ``stage_keypoints`` (1, S, K, 2), each stage gets rows of its own. The
    last stage's are those of the prediction. ``rows``, on the main process, is the last table, with
    the paper's Table 1, measured on MPII's test set, if ``published``.
    """

    def __init__(self, published: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.published = published
        self.rows: list[TableRow] = []

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Keep what the metric needs of a batch, and every stage's keypoints."""
        super().process(data_batch, data_samples)
        for result, sample in zip(self.results[-len(data_samples) :], data_samples):
            if 'stage_keypoints' in sample['pred_instances']:
                result['stage_coords'] = sample['pred_instances']['stage_keypoints']

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Compute MMPose's metrics, and print the table."""
        metrics = super().compute_metrics(results)
        self.rows = table_rows(results)
        if self.published:
            self.rows += published_rows()
        MMLogger.get_current_instance().info(f'\n{format_text(self.rows)}')
        return metrics


def table_rows(results: Sequence[dict]) -> list[TableRow]:
    """Score the prediction and, where they are known, the stages that led to it.

    Args:
        results: Per person ``pred_coords`` (1, K, 2) counted from 0, ``gt_coords`` (1, K, 2)
            counted from 1, ``mask`` (1, K), ``head_size`` (1, 1), maybe ``stage_coords``
            (1, S, K, 2) counted from 0.
    """
    collected = {key: np.concatenate([r[key] for r in results]) for key in results[0]}
    methods = {'prediction': collected['pred_coords']}
    if 'stage_coords' in collected:
        stages = np.moveaxis(collected['stage_coords'], 1, 0)
        methods.update({f'stage {i}, P({i})': stage for i, stage in enumerate(stages, start=1)})
    return [
        TableRow(method, measure, scores)
        for method, predicted in methods.items()
        for measure, scores in evaluate_pckh(
            predicted + 1.0, collected['gt_coords'], collected['mask'], collected['head_size']
        ).items()
    ]


@HOOKS.register_module()
class PCKhTableHook(Hook):
    """Saves the table of :class:`MpiiPCKhTable` as json and Markdown.

    Files go to the run's log folder: ``pckh_epoch_N.*`` after validation in epoch N, and
    ``pckh_test.*`` after a test.
    """

    @master_only
    def after_val_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Save the table of a validation."""
        self._save(runner.val_loop.evaluator, Path(runner.log_dir, f'pckh_epoch_{runner.epoch}'))

    @master_only
    def after_test_epoch(self, runner: Runner, metrics: dict[str, float] | None = None) -> None:
        """Save the table of a test."""
        self._save(runner.test_loop.evaluator, Path(runner.log_dir, 'pckh_test'))

    @staticmethod
    def _save(evaluator: Evaluator, stem: Path) -> None:
        for metric in evaluator.metrics:
            if isinstance(metric, MpiiPCKhTable):
                save_table(metric.rows, stem)

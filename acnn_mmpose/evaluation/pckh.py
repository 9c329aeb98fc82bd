"""The numbers of MPII: PCKh per joint group, both totals, and the area under the curve.

Legend: N people, K = 16 joints. All rates are percentages.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from mmpose.evaluation.functional import keypoint_pck_accuracy

# column of the paper's Table 1 -> joint ids (right, left)
JOINT_GROUPS = {
    'Head': (9,),
    'Sho.': (12, 13),
    'Elb.': (11, 14),
    'Wri.': (10, 15),
    'Hip': (2, 3),
    'Kne.': (1, 4),
    'Ank.': (0, 5),
}
UNSCORED = (6, 7)  # pelvis and thorax
THRESHOLDS = np.arange(0, 0.51, 0.01)  # of the curve, in head sizes


class Scores(NamedTuple):
    """One row of the table, in percent; NaN where no joint is labelled.

    Attributes:
        groups: By joint group, the unweighted mean of right and left.
        total_weighted: Over the 14 scored joints, weighted by how often each is labelled: MMPose's
            PCK.
        mean_unweighted: The plain mean of the rates of the 14 scored joints.
    """

    groups: dict[str, float]
    total_weighted: float
    mean_unweighted: float


def evaluate_pckh(
    predicted: np.ndarray, labels: np.ndarray, labelled: np.ndarray, head_sizes: np.ndarray
) -> dict[str, Scores]:
    """Score predictions with the rule and the arithmetic of :class:`MpiiPCKAccuracy`.

    A joint is correct if it is nearer than t head sizes to its label.

    Args:
        predicted: (N, K, 2), pixels.
        labels: (N, K, 2), pixels, counted from the same base.
        labelled: (N, K) bool.
        head_sizes: (N, 1), pixels; MPII's head size is 0.6 times the diagonal of the head box.

    Returns:
        ``PCKh@0.5``, ``PCKh@0.1`` and ``AUC``, the mean of PCKh@t over t from 0 to 0.5 (the area
        under the curve by the trapezoidal rule, as a share of its rectangle).
    """

    def rates(threshold: float) -> np.ndarray:
        # MMPose changes the head sizes in place where they are 0: give it a copy
        per_joint, _, _ = keypoint_pck_accuracy(
            predicted, labels, labelled, threshold, head_sizes.copy()
        )
        return 100.0 * per_joint

    # float32 as in MMPose, so that PCKh@0.1 is the same to the last digit
    curve = np.array([rates(threshold) for threshold in THRESHOLDS], dtype=np.float32)
    counts = labelled.sum(axis=0)
    return {
        'PCKh@0.5': _summarise(rates(0.5), counts),
        'PCKh@0.1': _summarise(curve[10], counts),
        'AUC': _summarise((curve[1:] + curve[:-1]).mean(axis=0, dtype=np.float64) / 2, counts),
    }


def _summarise(rates: np.ndarray, counts: np.ndarray) -> Scores:
    """Average rates (K,) of joints that are labelled ``counts`` (K,) times."""
    scored = counts.copy()
    scored[list(UNSCORED)] = 0
    exists = scored > 0
    if not exists.any():
        return Scores(dict.fromkeys(JOINT_GROUPS, np.nan), np.nan, np.nan)
    groups = {
        name: float(rates[list(joints)].mean()) if exists[list(joints)].all() else np.nan
        for name, joints in JOINT_GROUPS.items()
    }
    weights = scored / scored.sum()
    return Scores(groups, float((rates * weights).sum()), float(rates[exists].mean()))

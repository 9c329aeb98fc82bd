"""Masks that keep everything or nothing, for so long that attention does nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

TOLERANCE = 1e-3  # 4 cells of 64x64; a soft mask never reaches 0 or 1 itself


def has_just_died(history: Sequence[float], patience: int) -> bool:
    """Say whether a mask is dead from this measurement on.

    True once: not while the mask stays dead, but again after it recovered and died anew.

    Args:
        history: All measured coverages of the mask, in [0, 1].
        patience: How many measurements in a row at 0, or at 1, make it dead, >= 1.
    """
    latest = np.asarray(history[-patience - 1 :])
    stays = np.abs(latest - np.round(latest[-1])) <= TOLERANCE
    return bool(stays[-patience:].all() and stays.sum() == patience)


def describe_death(stage: int, coverage: float, duration: str) -> str:
    """Say in one sentence what died, for how long it has been so and what to try.

    Args:
        stage: The mask's stage, from 1.
        coverage: What it keeps, near 0 or near 1.
        duration: For example ``'5000 iterations'``.
    """
    keeps, bias, rate = (
        ('everything', 'lower', 'higher') if coverage > 0.5 else ('nothing', 'higher', 'lower')
    )
    return (
        f'the mask of stage {stage} has kept {keeps} (coverage {coverage:.3f}) for {duration}: its '
        f'attention does nothing; try a {bias} model.backbone.mask_branch.init_bias, from which '
        f"phase 'attention' starts, or a {rate} learning rate"
    )

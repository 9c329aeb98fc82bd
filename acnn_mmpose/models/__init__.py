"""The network: backbone (Eq. 1 and 2), head (Eq. 3 to 5), and the estimator that owns the phase."""

from .backbone import AttentionHourglassNet, StageOutput
from .coverage import CoverageLoss, find_background
from .estimator import ACNN, PHASES, Phase
from .head import ACNNHead, combine_stages, stack_masks

__all__ = [
    'ACNN',
    'PHASES',
    'ACNNHead',
    'AttentionHourglassNet',
    'CoverageLoss',
    'Phase',
    'StageOutput',
    'combine_stages',
    'find_background',
    'stack_masks',
]

"""The network: backbone (Eq. 1 and 2), head (Eq. 3 to 5), and the estimator that owns the phase."""

from .backbone import AttentionHourglassNet, StageOutput
from .estimator import ACNN, PHASES, Phase
from .head import ACNNHead

__all__ = ['ACNN', 'PHASES', 'ACNNHead', 'AttentionHourglassNet', 'Phase', 'StageOutput']

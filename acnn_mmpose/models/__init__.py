"""The network: backbone (Eq. 1 and 2), head (Eq. 3 to 5), and the estimator that owns the phase."""

from .attention import MaskBranch, binarise
from .backbone import AttentionHourglassNet, StageOutput
from .coverage import CoverageLoss, find_background, share_kept
from .estimator import ACNN, PHASES, Phase
from .head import ACNNHead, combine_stages, stack_masks
from .weights import MASK_BRANCHES, unwrap

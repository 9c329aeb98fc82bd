"""The study of sparse stages: does attention save work?"""

from .network import SparseHead, SparseHourglassNet, with_sparse_stages
from .stages import run_sparse_stage

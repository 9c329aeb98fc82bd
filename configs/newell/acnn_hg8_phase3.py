"""Phase 3 of the paper (Sec. 3.3) with 8 stacks; from phase 2."""

_base_ = ['acnn_hg2_phase3.py']

model = dict(backbone=dict(num_stages=8), head=dict(num_stages=8))

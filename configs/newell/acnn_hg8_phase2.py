"""Phase 2 of the paper (Sec. 3.3) from a published hourglass of 8 stacks; load_from: converted."""

_base_ = ['acnn_hg2_phase2.py']

model = dict(backbone=dict(num_stages=8), head=dict(num_stages=8))

"""Phase 1 of a recipe whose masks select: pose, for longer.

Where it comes from: studies/attention/reproduction.md, section 8.
"""

_base_ = ['acnn_phase1.py']

train_cfg = dict(max_epochs=400)
param_scheduler = [dict(type='MultiStepLR', milestones=[300], gamma=0.1, by_epoch=True)]

"""Phase 3 of the paper (Sec. 3.3) with 8 stacks; from phase 2."""

_base_ = ['acnn_hg8_phase2.py']

model = dict(phase='joint')

train_cfg = dict(max_epochs=100)
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70], gamma=0.1, by_epoch=True)]

"""Phase 2 on toy data: task B, attention, with task A frozen; from phase 1."""

_base_ = ['_base_/acnn_toy_128x128.py']

model = dict(phase='attention')

train_cfg = dict(max_epochs=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True)]

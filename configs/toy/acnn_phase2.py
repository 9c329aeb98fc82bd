"""Phase 2 on toy data: task B, attention, with task A frozen; from phase 1."""

_base_ = ['_base_/acnn_toy_128x128.py']

model = dict(phase='attention')

train_cfg = dict(max_epochs=3, val_interval=3)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[2], gamma=0.1, by_epoch=True)]

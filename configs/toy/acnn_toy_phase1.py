"""Phase 1 on toy data: task A, pose, with all attention masks ones."""

_base_ = ['_base_/acnn_toy_128x128.py']

model = dict(phase='pose')

train_cfg = dict(max_epochs=5, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=2e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[4], gamma=0.1, by_epoch=True)]

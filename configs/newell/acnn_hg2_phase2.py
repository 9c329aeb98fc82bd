"""Phase 2 of the paper (Sec. 3.3) from a published hourglass of 2 stacks; load_from: converted."""

_base_ = ['_base_/acnn_256x256.py']

model = dict(phase='attention', backbone=dict(num_stages=2), head=dict(num_stages=2))

train_cfg = dict(max_epochs=200, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[120, 170], gamma=0.1, by_epoch=True)]

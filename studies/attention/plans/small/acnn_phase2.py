"""Phase 2 of the small network: the paper's schedule at another learning rate."""

_base_ = ['_base_/acnn_small_96x96.py']

model = dict(phase='attention')

train_cfg = dict(max_epochs=200, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[120, 170], gamma=0.1, by_epoch=True)]

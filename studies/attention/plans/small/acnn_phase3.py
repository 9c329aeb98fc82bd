"""Phase 3 of the small network: the paper's schedule at another learning rate."""

_base_ = ['_base_/acnn_small_96x96.py']

model = dict(phase='joint')

train_cfg = dict(max_epochs=100, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70], gamma=0.1, by_epoch=True)]

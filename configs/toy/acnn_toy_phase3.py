"""Phase 3 on toy data: both tasks jointly; from phase 2."""

_base_ = ['_base_/acnn_toy_128x128.py']

model = dict(phase='joint')

train_cfg = dict(max_epochs=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True)]

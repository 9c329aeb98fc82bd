"""Phase 3 of the paper on COCO: both tasks jointly; from phase 2."""

_base_ = ['_base_/acnn_coco_192x256.py']

model = dict(phase='joint')

train_cfg = dict(max_epochs=100, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[50, 70], gamma=0.1, by_epoch=True)]

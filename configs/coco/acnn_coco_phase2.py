"""Phase 2 of the paper on COCO: task B, attention, with task A frozen; from phase 1."""

_base_ = ['_base_/acnn_coco_192x256.py']

model = dict(phase='attention')

train_cfg = dict(max_epochs=200, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=2.5e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[120, 170], gamma=0.1, by_epoch=True)]

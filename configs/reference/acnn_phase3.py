"""Phase 3 of the reference network: both tasks, at a tenth of phase 1's learning rate.

What masks cost and miss moves the mask branches alone, not the features that poses are made of.
"""

_base_ = ['_base_/acnn_160x160.py']

model = dict(
    phase='joint',
    backbone=dict(mask_branch=dict(detached=True)),
    head=dict(coverage_loss=dict(type='CoverageLoss', weight=0.05, target=0.4, joint_weight=0.01)),
)

train_cfg = dict(max_epochs=30, val_interval=5)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [dict(type='MultiStepLR', milestones=[20], gamma=0.1, by_epoch=True)]

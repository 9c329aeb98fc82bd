"""Phase 3 of the reference network: both tasks.

What masks cost and miss moves the mask branches alone, not the features that poses are made of;
and norms keep the statistics of phase 1, for those of masked batches are others: poses and masks
would have to be learned anew.
"""

_base_ = ['_base_/acnn_160x160.py']

model = dict(
    phase='joint',
    norm_eval=True,
    backbone=dict(mask_branch=dict(detached=True)),
    head=dict(coverage_loss=dict(type='CoverageLoss', weight=0.05, target=0.3, joint_weight=0.01)),
)

train_cfg = dict(max_epochs=2, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=2e-4))
param_scheduler = [dict(_base_.falling, end=2)]

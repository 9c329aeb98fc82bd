"""Phase 2 of the reference network: attention, briefly; masks keep where joints probably are."""

_base_ = ['_base_/acnn_160x160.py']

model = dict(
    phase='attention',
    head=dict(coverage_loss=dict(type='CoverageLoss', weight=0.05, target=0.3, joint_weight=0.01)),
)

train_cfg = dict(max_epochs=2, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=1e-2))
param_scheduler = [dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True)]

"""Phase 2 of the reference network: attention, briefly, with a price on background."""

_base_ = ['_base_/acnn_160x160.py']

model = dict(
    phase='attention',
    head=dict(
        coverage_loss=dict(type='CoverageLoss', weight=5e-3, target=0.3, background_only=True)
    ),
)

train_cfg = dict(max_epochs=6, val_interval=2)
param_scheduler = [dict(type='MultiStepLR', milestones=[5], gamma=0.1, by_epoch=True)]

"""Phase 3 of a recipe whose masks select: both tasks, at phase 1's last learning rate."""

_base_ = ['acnn_phase3.py']

model = dict(
    head=dict(
        coverage_loss=dict(type='CoverageLoss', weight=5e-4, target=0.45, background_only=True)
    )
)

train_cfg = dict(max_epochs=67)
optim_wrapper = dict(optimizer=dict(lr=5e-5))
param_scheduler = [dict(type='MultiStepLR', milestones=[33], gamma=0.1, by_epoch=True)]

"""Phase 2 of a recipe whose masks select: attention, briefly, with a price on background."""

_base_ = ['acnn_phase2.py']

model = dict(
    head=dict(
        coverage_loss=dict(type='CoverageLoss', weight=5e-4, target=0.45, background_only=True)
    )
)

train_cfg = dict(max_epochs=33)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
param_scheduler = [dict(type='MultiStepLR', milestones=[], gamma=0.1, by_epoch=True)]

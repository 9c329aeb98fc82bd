"""Phase 1 of the reference network: pose, for long.

Weights are averaged over the last few epochs (EMAHook): at a constant learning rate this is worth
a drop of the rate, at any time.
"""

_base_ = ['_base_/acnn_160x160.py']

model = dict(phase='pose')

train_cfg = dict(max_epochs=300, val_interval=5)
param_scheduler = [dict(type='MultiStepLR', milestones=[250], gamma=0.1, by_epoch=True)]
default_hooks = dict(ema=dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=1e-3))

"""Phase 1 of the reference network: pose, 48 epochs."""

_base_ = ['_base_/acnn_160x160.py']

model = dict(phase='pose')

train_cfg = dict(max_epochs=48, val_interval=4)
param_scheduler = [  # 2e-3, then from 1e-3 to nearly 0
    dict(_base_.falling, start_factor=0.5, end_factor=0.005, begin=32, end=48)
]

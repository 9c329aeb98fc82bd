"""Phase 1 trained on: what phase 2 of the shipped weights starts from, and phase 3's control.

tools/train.py configs/reference/acnn_phase1b.py --cfg-options load_from=PHASE_1_CHECKPOINT
"""

_base_ = ['acnn_phase1.py']

train_cfg = dict(max_epochs=7, val_interval=1)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1.0,
        end_factor=0.01,
        begin=0,
        end=7,
        by_epoch=True,
        convert_to_iter_based=True,
    )
]

"""Phase 1 trained on: what phase 2 of the shipped weights starts from.

tools/train.py configs/reference/acnn_reference_phase1b.py --cfg-options load_from=PHASE_1
"""

_base_ = ['acnn_reference_phase1.py']

train_cfg = dict(max_epochs=28, val_interval=7)
optim_wrapper = dict(optimizer=dict(lr=1.5e-3))
param_scheduler = [dict(_base_.falling, end=28)]

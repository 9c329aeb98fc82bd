"""The first two stages of phase 1b's network, without masks, trained on by themselves.

python -m studies.sparse.cut PHASE_1B 2 two_stages.pth
tools/train.py studies/sparse/configs/two_stages.py --cfg-options load_from=two_stages.pth
"""

_base_ = ['../../../configs/reference/acnn_reference_phase1b.py']

model = dict(backbone=dict(num_stages=2), head=dict(num_stages=2))

train_cfg = dict(max_epochs=4, val_interval=4)
optim_wrapper = dict(optimizer=dict(lr=5e-4))
param_scheduler = [dict(_base_.falling, end=4)]

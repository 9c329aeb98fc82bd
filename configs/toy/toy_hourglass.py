"""The small base network without attention, trained as in phase 1 on toy data."""

_base_ = ['acnn_toy_phase1.py']

model = dict(backbone=dict(mask_mode='ones'))

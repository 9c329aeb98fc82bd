"""The small network without mask branches."""

_base_ = ['acnn_phase1.py']

model = dict(backbone=dict(mask_mode='ones'))

"""The paper's base network without attention, trained as in phase 1: the baseline of Table 1."""

_base_ = ['acnn_phase1.py']

model = dict(backbone=dict(mask_mode='ones'))

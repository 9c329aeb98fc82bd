"""The same network without mask branches, trained as in phase 1: what to compare with."""

_base_ = ['acnn_phase1.py']

model = dict(backbone=dict(mask_mode='ones'))

"""As two_stages.py, with three."""

_base_ = ['two_stages.py']

model = dict(backbone=dict(num_stages=3), head=dict(num_stages=3))

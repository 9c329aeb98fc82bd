"""ACNN on the base network as Newell et al. built it, to start from published hourglasses.

Stem and normalisation are those of bearpaw/pytorch-pose: images in [0, 1], RGB, minus MPII's mean,
not divided by a deviation. tools/convert_hourglass.py says what other files need.
"""

_base_ = ['../../_base_/acnn_mpii_256x256.py']

model = dict(
    data_preprocessor=dict(mean=[112.302, 113.22, 110.3385], std=[255, 255, 255]),
    backbone=dict(reinjection=16, stem_widths=[64, 128, 256]),
)

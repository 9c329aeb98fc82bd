"""Phase 3 of the reference network with sparse stages, from the weights of its phase 2.

PYTHONPATH=. tools/train.py studies/sparse/configs/acnn_phase3.py --cfg-options load_from=FILE
"""

_base_ = ['../../../configs/reference/acnn_reference_phase3.py']

custom_imports = dict(imports=['acnn_mmpose', 'studies.sparse'])

model = dict(backbone=dict(type='SparseHourglassNet'), head=dict(type='SparseHead'))

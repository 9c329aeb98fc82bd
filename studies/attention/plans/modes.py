"""Hard masks with a straight-through gradient against soft masks."""

_base_ = ['_base_/small.py']

name = 'modes'
figures = ['scores', 'masks']

soft = {'model.backbone.mask_mode': 'soft'}
soft_open = {**soft, 'model.backbone.mask_branch.init_bias': 4.0}

variants = dict(
    acnn=_base_.acnn,
    soft=dict(
        title='soft masks',
        phases=[
            _base_.pose,
            dict(_base_.attention, options=soft),
            dict(_base_.joint, options=soft),
        ],
    ),
    soft_open=dict(
        title='soft masks, bias 4',
        phases=[
            _base_.pose,
            dict(_base_.attention, options=soft_open),
            dict(_base_.joint, options=soft_open),
        ],
    ),
)

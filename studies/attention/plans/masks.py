"""What makes masks select: each variant is ACNN with one thing changed in phases 2 and 3."""

_base_ = ['_base_/small.py']

name = 'masks'
figures = ['scores', 'masks']

varied = {'model.backbone.mask_branch.type': 'VariedMaskBranch'}
noise = {**varied, 'model.backbone.mask_branch.noise': 1.0}
changes = dict(
    bias_0=('bias 0 (starts closed)', {'model.backbone.mask_branch.init_bias': 0.0}),
    bias_1=('bias 1', {'model.backbone.mask_branch.init_bias': 1.0}),
    bias_4=('bias 4', {'model.backbone.mask_branch.init_bias': 4.0}),
    threshold=('threshold 0.8', {**varied, 'model.backbone.mask_branch.threshold': 0.8}),
    stride=('mask resolution / 4', {**varied, 'model.backbone.mask_branch.stride': 4}),
    noise=('stochastic', noise),
    noise_hot=(
        'stochastic, temperature 2',
        {**noise, 'model.backbone.mask_branch.temperature': 2.0},
    ),
    linear=('linear 5e-4', {'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-4)}),
    hinge=(
        'hinge 5e-3 at 40 %',
        {'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-3, target=0.4)},
    ),
    background=(
        'linear 5e-4 on background',
        {'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-4, background_only=True)},
    ),
    background_hinge=(
        'hinge 5e-3 at 20 % on background',
        {
            'model.head.coverage_loss': dict(
                type='CoverageLoss', weight=5e-3, target=0.2, background_only=True
            )
        },
    ),
)

variants = dict(
    acnn=_base_.acnn,
    hourglass=_base_.hourglass,  # what masks must beat to pay
    fast=dict(
        title='phase 2 at 5 x the learning rate',
        phases=[
            _base_.pose,
            dict(_base_.attention, options={'optim_wrapper.optimizer.lr': 5e-3}),
            _base_.joint,
        ],
    ),
    long=dict(
        title='phase 2 longer by 2 epochs, phase 3 of 1 without a drop',
        phases=[_base_.pose, dict(_base_.attention, epochs=8), dict(_base_.joint, epochs=1)],
    ),
    **{
        variant: dict(
            title=title,
            phases=[
                _base_.pose,
                dict(_base_.attention, options=options),
                dict(_base_.joint, options=options),
            ],
        )
        for variant, (title, options) in changes.items()
    },
)

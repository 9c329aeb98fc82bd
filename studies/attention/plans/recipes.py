"""What else could make masks select and pay: one schedule for both tasks, a price on background.

In the paper's schedule phase 2 trains nothing but masks for 6 of 15 epochs. Percentages in titles:
the share of the background that costs nothing.
"""

_base_ = ['_base_/small.py']

name = 'recipes'
figures = ['scores', 'masks']

bias_4 = {'model.backbone.mask_branch.init_bias': 4.0}
price = dict(type='CoverageLoss', weight=5e-4, target=0.45, background_only=True)
half = {'model.phase': 'joint_from_scratch', 'model.head.coverage_loss': price}
detached = {
    'model.backbone.mask_branch.type': 'VariedMaskBranch',
    'model.backbone.mask_branch.detached': True,
}
soft_open = {'model.backbone.mask_mode': 'soft', **bias_4}
changes = dict(
    half=('hinge 5e-4 at 45 % on background', {}),
    third=(
        'hinge 5e-4 at 30 % on background',
        {'model.head.coverage_loss': {**price, 'target': 0.3}},
    ),
    detached=('at 45 %, detached masks', detached),
    detached_open=('at 45 %, detached masks, bias 4', {**detached, **bias_4}),
    own=('at 45 %, H(i) alone', {'model.head.type': 'OwnHeatmapsHead'}),
    soft=('at 45 %, soft masks, bias 4', soft_open),
    soft_detached=('at 45 %, soft detached masks, bias 4', {**soft_open, **detached}),
)

variants = dict(
    hourglass=_base_.hourglass,
    from_scratch=dict(
        title='from scratch, without a price',
        phases=[
            dict(
                _base_.pose,
                epochs=_base_.budget,
                options={'model.phase': 'joint_from_scratch'},
            )
        ],
    ),
    **{
        variant: dict(
            title=f'from scratch, {title}',
            phases=[dict(_base_.pose, epochs=_base_.budget, options={**half, **options})],
        )
        for variant, (title, options) in changes.items()
    },
    without_phase_2=dict(
        title='9 epochs pose, 6 joint, at 45 %',
        phases=[
            dict(_base_.pose, epochs=9),
            dict(_base_.joint, epochs=6, options={**half, 'model.phase': 'joint_after_pose'}),
        ],
    ),
)

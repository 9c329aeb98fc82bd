"""What else could make masks select and pay: one schedule for both tasks, a price on background.

In the paper's schedule phase 2 trains nothing but masks for 6 of 15 epochs. Percentages in titles:
the share of the background that costs nothing.
"""

_base_ = ['_base_/small.py']

name = 'recipes'
figures = ['scores', 'masks']

bias_4 = {'model.backbone.mask_bias': 4.0}
price = dict(type='CoverageLoss', weight=5e-4, target=0.45, on_background=True)
half = {'model.phase': 'joint_from_scratch', 'model.head.coverage_loss': price}
detached = {'model.backbone.detached_masks': True}
soft_open = {'model.backbone.mask_mode': 'soft', **bias_4}
changes = dict(
    half=('hinge 5e-4 at 45 % on background', {}),
    third=(
        'hinge 5e-4 at 30 % on background',
        {'model.head.coverage_loss': {**price, 'target': 0.3}},
    ),
    detached=('at 45 %, detached masks', detached),
    detached_open=(
        'at 45 %, detached masks, bias 4',
        {**detached, **bias_4},
    ),
    own=('at 45 %, H(i) alone', {'model.head.adds_discarded': False}),
    soft=('at 45 %, soft masks, bias 4', soft_open),
    soft_detached=('at 45 %, soft detached masks, bias 4', {**soft_open, **detached}),
)

# the hourglass's schedule, its drops after 9 and 13 epochs, with masks from the 13th epoch on
pose_first = dict(_base_.pose, epochs=12, options={'param_scheduler.0.milestones': [9]})
last_rate = {'optim_wrapper.optimizer.lr': 2e-4, 'param_scheduler.0.milestones': [1]}
# RMSprop has no bias correction: the first steps of every phase are up to 10 times as long
warm_rate = {
    'optim_wrapper.optimizer.lr': 2e-4,
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
        dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True),
    ],
}
narrow = {'model.head.coverage_loss': {**price, 'weight': 5e-3, 'target': 0.2}}
late = dict(
    late=('at 20 %', narrow, last_rate),
    late_half=('at 45 %', {'model.head.coverage_loss': price}, last_rate),
    late_soft=('at 20 %, soft masks, bias 4', {**narrow, **soft_open}, last_rate),
    late_warm=('at 20 %, warm-up', narrow, warm_rate),
    late_half_warm=('at 45 %, warm-up', {'model.head.coverage_loss': price}, warm_rate),
)

variants = dict(
    hourglass=_base_.hourglass,
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
    # the hourglass again, from other random weights: it has mask branches, which never run
    same_start=dict(
        title='hourglass, from the start of the next ones',
        phases=[dict(_base_.pose, epochs=_base_.budget)],
    ),
    # what the next ones are without masks, from the same weights
    **{
        variant: dict(
            title=f'hourglass, 12 and 3 epochs{title}',
            phases=[
                pose_first,
                dict(_base_.joint, epochs=3, options={**rate, 'model.phase': 'pose'}),
            ],
        )
        for variant, title, rate in (
            ('interrupted', '', last_rate),
            ('interrupted_warm', ', warm-up', warm_rate),
        )
    },
    **{
        variant: dict(
            title=f'12 epochs pose, 1 attention, 2 joint, {title}',
            phases=[
                pose_first,
                dict(
                    _base_.attention,
                    epochs=1,
                    options={**options, 'optim_wrapper.optimizer.lr': 4e-3},
                ),
                dict(_base_.joint, epochs=2, options={**options, **rate}),
            ],
        )
        for variant, (title, options, rate) in late.items()
    },
)

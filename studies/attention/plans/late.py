"""Masks that come late: what do they cost the very hourglass that goes on without them?

The schedule is close to that of an hourglass trained in one go: the learning rate drops after 9
epochs, and again for the last one or two. Masks are there from the 13th epoch on, or the 10th.
Percentages in titles: the share of the background that costs nothing.
"""

_base_ = ['_base_/small.py']

name = 'late'
figures = ['scores', 'masks', 'people']

pose_first = dict(_base_.pose, epochs=12, options={'param_scheduler.0.milestones': [9]})
pose_constant = dict(_base_.pose, epochs=9, options={'param_scheduler.0.milestones': []})
last_rate = {'optim_wrapper.optimizer.lr': 2e-4, 'param_scheduler.0.milestones': [1]}
# RMSprop has no bias correction: the first steps of every phase are up to 10 times as long
warm_rate = {
    'optim_wrapper.optimizer.lr': 2e-4,
    'param_scheduler': [
        dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=200),
        dict(type='MultiStepLR', milestones=[1], gamma=0.1, by_epoch=True),
    ],
}
narrow = {
    'model.head.coverage_loss': dict(
        type='CoverageLoss', weight=5e-3, target=0.2, background_only=True
    )
}
half = {
    'model.head.coverage_loss': dict(
        type='CoverageLoss', weight=5e-4, target=0.45, background_only=True
    )
}
# both tasks at once: task A loses no epoch to phase 2, and masks close as fast as they do there
together = {
    **last_rate,
    'optim_wrapper.paramwise_cfg': dict(custom_keys={'mask_branches': dict(lr_mult=20.0)}),
    'model.phase': 'joint_after_pose',
}
# phase 3 leaves the mask branches' weights alone; features, norms and hence masks still move
still = {
    **last_rate,
    'optim_wrapper.paramwise_cfg': dict(custom_keys={'mask_branches': dict(lr_mult=0.0)}),
}
soft = {'model.backbone.mask_mode': 'soft', 'model.backbone.mask_branch.init_bias': 4.0}
own = {'model.head.type': 'OwnHeatmapsHead'}
detached = {
    'model.backbone.mask_branch.type': 'VariedMaskBranch',
    'model.backbone.mask_branch.detached': True,
}
masks = dict(
    late=('at 20 %', narrow, last_rate),
    late_half=('at 45 %', half, last_rate),
    late_soft=('at 20 %, soft masks, bias 4', {**narrow, **soft}, last_rate),
    late_half_still=('at 45 %, weights of the mask branches frozen in phase 3', half, still),
    late_half_own=('at 45 %, H(i) alone', {**half, **own}, last_rate),
    late_warm=('at 20 %, warm-up', narrow, warm_rate),
    late_half_warm=('at 45 %, warm-up', half, warm_rate),
)

variants = dict(
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
            over='interrupted_warm' if rate is warm_rate else 'interrupted',
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
        for variant, (title, options, rate) in masks.items()
    },
    **{
        variant: dict(
            title=f'12 epochs pose, 3 joint with masks at 20 x its rate, at 45 %{title}',
            phases=[
                pose_first,
                dict(_base_.joint, epochs=3, options={**half, **together, **options}),
            ],
        )
        for variant, title, options in (
            ('together', '', {}),
            ('together_detached', ', detached masks', detached),
            ('together_own', ', H(i) alone', own),
        )
    },
    # masks that come when the learning rate first drops, and the hourglass without them
    sooner_interrupted=dict(
        title='hourglass, 9 and 6 epochs',
        phases=[
            pose_constant,
            dict(
                _base_.joint,
                epochs=6,
                options={**last_rate, 'param_scheduler.0.milestones': [4], 'model.phase': 'pose'},
            ),
        ],
    ),
    sooner=dict(
        title='9 epochs pose, 1 attention, 5 joint, at 45 %',
        over='sooner_interrupted',
        phases=[
            pose_constant,
            dict(_base_.attention, epochs=1, options={**half, 'optim_wrapper.optimizer.lr': 4e-3}),
            dict(
                _base_.joint,
                epochs=5,
                options={**half, **last_rate, 'param_scheduler.0.milestones': [3]},
            ),
        ],
    ),
    hourglass=dict(_base_.hourglass, title='hourglass, in one go'),
    # without mask branches to initialise, hence from other random weights
    other_weights=dict(
        title='hourglass, in one go, other weights',
        phases=[dict(config='small/hourglass.py', epochs=_base_.budget)],
    ),
)

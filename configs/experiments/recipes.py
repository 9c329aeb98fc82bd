"""What else could make masks select and pay: coverage priced on background, the budget split anew.

In the paper's schedule phase 2 trains nothing but masks for 12 of 30 epochs.
"""

_base_ = ['_base_/small.py']

name = 'recipes'
figures = ['scores', 'masks']

linear = {
    'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-4, on_background=True),
}
hinge = {
    'model.head.coverage_loss': dict(
        type='CoverageLoss', weight=5e-4, target=0.3, on_background=True
    ),
}
half = {
    'model.head.coverage_loss': dict(
        type='CoverageLoss', weight=5e-4, target=0.45, on_background=True
    ),
}
soft = {'model.backbone.mask_mode': 'soft'}
soft_open = {**soft, 'model.backbone.mask_bias': 4.0}
detached = {'model.backbone.detached_masks': True}
scratch = {'model.phase': 'joint_from_scratch'}
after_pose = {'model.phase': 'joint_after_pose'}

variants = dict(
    hourglass=_base_.hourglass,
    from_scratch=dict(
        title='joint from scratch, 5e-4 on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **linear})],
    ),
    from_scratch_hinge=dict(
        title='joint from scratch, hinge 5e-4 at 30 % on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **hinge})],
    ),
    from_scratch_half=dict(
        title='joint from scratch, hinge 5e-4 at 45 % on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **half})],
    ),
    from_scratch_soft=dict(
        title='joint from scratch, soft masks, hinge 5e-4 at 30 % on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **soft, **hinge})],
    ),
    from_scratch_soft_open=dict(
        title='joint from scratch, soft masks, bias 4, hinge 5e-4 at 30 % on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **soft_open, **hinge})],
    ),
    from_scratch_detached=dict(
        title='joint from scratch, detached masks, hinge 5e-4 at 30 % on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **detached, **hinge})],
    ),
    from_scratch_plus=dict(
        title='joint from scratch, soft detached masks, bias 4, hinge 5e-4 at 45 % on background',
        phases=[dict(_base_.pose, epochs=30, options={**scratch, **soft_open, **detached, **half})],
    ),
    without_phase_2=dict(
        title='18 epochs pose, 12 joint, the same hinge',
        phases=[
            dict(_base_.pose, epochs=18),
            dict(_base_.joint, epochs=12, options={**after_pose, **hinge}),
        ],
    ),
    short_phase_2=dict(
        title='20 epochs pose, 2 attention, 8 joint, the same hinge',
        phases=[
            dict(_base_.pose, epochs=20),
            dict(_base_.attention, epochs=2, options=hinge),
            dict(_base_.joint, epochs=8, options=hinge),
        ],
    ),
)

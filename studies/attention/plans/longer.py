"""Twice as wide and twice as long: do the findings of the other experiments hold on?"""

name = 'longer'
figures = ['scores', 'masks']
seeds = [0, 1, 2]
budget = 30

pose = dict(config='small/acnn_phase1.py', epochs=12)
attention = dict(config='small/acnn_phase2.py', epochs=12)
joint = dict(config='small/acnn_phase3.py', epochs=6)

on_map = {'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-3, target=0.4)}
linear = {
    'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-4, background_only=True),
}
hinge = {
    'model.head.coverage_loss': dict(
        type='CoverageLoss', weight=5e-4, target=0.3, background_only=True
    ),
}
scratch = {'model.phase': 'joint_from_scratch'}

variants = dict(
    hourglass=dict(title='hourglass', phases=[dict(config='small/hourglass.py', epochs=budget)]),
    hourglass_restarted=dict(
        title="hourglass, ACNN's schedule",
        phases=[
            pose,
            dict(
                config='small/acnn_phase1.py',
                epochs=12,
                options={'optim_wrapper.optimizer.lr': 1e-3},
            ),
            dict(config='small/acnn_phase3.py', epochs=6, options={'model.phase': 'pose'}),
        ],
    ),
    acnn=dict(title='ACNN, as the paper', phases=[pose, attention, joint]),
    hinge=dict(
        title='hinge 5e-3 at 40 %',
        phases=[pose, dict(attention, options=on_map), dict(joint, options=on_map)],
    ),
    from_scratch=dict(
        title='joint from scratch, 5e-4 on background',
        phases=[dict(pose, epochs=budget, options={**scratch, **linear})],
    ),
    from_scratch_hinge=dict(
        title='joint from scratch, hinge 5e-4 at 30 % on background',
        phases=[dict(pose, epochs=budget, options={**scratch, **hinge})],
    ),
)

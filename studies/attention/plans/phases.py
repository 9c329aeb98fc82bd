"""Three phases against fewer, and the gradients of task A and task B."""

_base_ = ['_base_/small.py']

name = 'phases'
figures = ['scores', 'masks', 'gradients']

variants = dict(
    acnn=_base_.acnn,
    without_phase_2=dict(
        title='phases 1 and 3',
        phases=[
            _base_.pose,
            dict(_base_.joint, epochs=9, options={'model.phase': 'joint_after_pose'}),
        ],
    ),
    from_scratch=dict(
        title='joint from scratch',
        phases=[
            dict(_base_.pose, epochs=_base_.budget, options={'model.phase': 'joint_from_scratch'})
        ],
    ),
    hourglass=_base_.hourglass,
)

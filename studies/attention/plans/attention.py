"""Does attention pay? The hourglass, trained as long as all phases, against ACNN."""

_base_ = ['_base_/small.py']

name = 'attention'
figures = ['scores']

variants = dict(
    hourglass=_base_.hourglass,
    # trained in phases as ACNN is, but every time in phase 'pose', with all masks ones
    hourglass_restarted=dict(
        title="hourglass, ACNN's schedule",
        phases=[
            _base_.pose,
            dict(
                config='small/acnn_phase1.py',
                epochs=6,
                options={'optim_wrapper.optimizer.lr': 1e-3},
            ),
            dict(config='small/acnn_phase3.py', epochs=3, options={'model.phase': 'pose'}),
        ],
    ),
    acnn=_base_.acnn,
)

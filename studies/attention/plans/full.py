"""Does attention pay at full size, on a GPU? 4 stages, 256 channels, 256x256, mixed precision."""

name = 'full'
figures = ['scores', 'masks', 'gradients']
seeds = [0, 1, 2]
budget = 50

options = {
    'optim_wrapper.type': 'AmpOptimWrapper',
    'optim_wrapper.dtype': 'bfloat16',
    'optim_wrapper.loss_scale': dict(enabled=False),
    'train_dataloader.batch_size': 12,
    'train_dataloader.num_workers': 12,
    'default_hooks.checkpoint.save_best': None,
}
pose, attention, joint = (
    dict(config=f'../../../configs/acnn_phase{n}.py', epochs=epochs)
    for n, epochs in ((1, 20), (2, 20), (3, 10))
)

variants = dict(
    hourglass=dict(
        title='hourglass',
        phases=[dict(config='../../../configs/acnn_phase1.py', epochs=budget)],
    ),
    acnn=dict(title='ACNN, as the paper', phases=[pose, attention, joint]),
)

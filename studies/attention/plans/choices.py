"""Choices that the paper leaves open, or that others make: sigma, re-injection, Eq. 4."""

_base_ = ['_base_/small.py']

name = 'choices'
figures = ['scores']

sigma_2 = {
    'model.head.decoder.sigma': 2,
    'train_dataloader.dataset.pipeline.GenerateTarget.encoder.sigma': 2,
}
reinjection = {'model.backbone.type': 'HeatmapsReinjectedNet'}
hinge = {'model.head.coverage_loss': dict(type='CoverageLoss', weight=5e-3, target=0.4)}
own = {'model.head.type': 'OwnHeatmapsHead'}

variants = dict(
    acnn=_base_.acnn,
    sigma_2=dict(
        title='sigma 2',
        phases=[
            dict(_base_.pose, options=sigma_2),
            dict(_base_.attention, options=sigma_2),
            dict(_base_.joint, options=sigma_2),
        ],
    ),
    reinjection=dict(
        title='heatmaps re-injected',
        phases=[
            dict(_base_.pose, options=reinjection),
            dict(_base_.attention, options=reinjection),
            dict(_base_.joint, options=reinjection),
        ],
    ),
    own=dict(
        title='H(i) alone',
        phases=[
            _base_.pose,
            dict(_base_.attention, options=own),
            dict(_base_.joint, options=own),
        ],
    ),
    # where masks are open, Eq. 4 has nothing to add
    hinge=dict(
        title='hinge 5e-3 at 40 %',
        phases=[
            _base_.pose,
            dict(_base_.attention, options=hinge),
            dict(_base_.joint, options=hinge),
        ],
    ),
    hinge_own=dict(
        title='hinge 5e-3 at 40 %, H(i) alone',
        over='hinge',
        phases=[
            _base_.pose,
            dict(_base_.attention, options={**hinge, **own}),
            dict(_base_.joint, options={**hinge, **own}),
        ],
    ),
    hourglass=_base_.hourglass,
    hourglass_sigma_2=dict(
        title='hourglass, sigma 2',
        over='hourglass',
        phases=[dict(_base_.hourglass.phases[0], options=sigma_2)],
    ),
)

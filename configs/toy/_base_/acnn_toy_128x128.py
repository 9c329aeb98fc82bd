"""A small ACNN on generated people: minutes on two CPU cores.

Make the data with `python tools/make_toy_data.py data/toy`; the root is `data/toy/`, or what the
environment variable ACNN_DATA_ROOT says.
"""

_base_ = ['../../_base_/acnn_mpii_256x256.py']

data_root = '{{$ACNN_DATA_ROOT:data/toy/}}'

codec = dict(type='MSRAHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=1)

model = dict(
    backbone=dict(num_stages=2, channels=64, depth=3),
    head=dict(in_channels=64, num_stages=2, decoder=codec),
)

train_pipeline = [
    *_base_.train_pipeline[:4],  # load, box, flip, scale and rotate
    dict(type='TopdownCrop', input_size=codec['input_size']),
    dict(type='GenerateTarget', encoder={**codec, 'type': 'FastMSRAHeatmap'}),
    dict(type='PackPoseInputs'),
]
val_pipeline = [
    *_base_.val_pipeline[:3],  # load, check, box
    dict(type='TopdownAffine', input_size=codec['input_size']),
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(batch_size=16, dataset=dict(data_root=data_root, pipeline=train_pipeline))
val_dataloader = dict(
    dataset=dict(
        data_root=data_root,
        headbox_file=f'{data_root}/annotations/mpii_gt_val.mat',
        pipeline=val_pipeline,
    )
)
test_dataloader = val_dataloader

randomness = dict(seed=0)

auto_scale_lr = dict(base_batch_size=16)

"""A small ACNN on generated people: minutes on two CPU cores.

Make the data with `python tools/make_toy_data.py data/toy`; the root is `data/toy/`, or what the
environment variable ACNN_DATA_ROOT says.
"""

_base_ = ['../../_base_/acnn_mpii_256x256.py']

# below _base_: a config that imports before it is taken for another kind by MMEngine
from acnn_mmpose.datasets import with_codec

data_root = '{{$ACNN_DATA_ROOT:data/toy/}}'

codec = dict(type='MSRAHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=1)

model = dict(
    backbone=dict(num_stages=2, channels=64, depth=3),
    head=dict(in_channels=64, num_stages=2, decoder=codec),
)

train_pipeline = with_codec(_base_.train_pipeline, codec)
val_pipeline = with_codec(_base_.val_pipeline, codec)

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

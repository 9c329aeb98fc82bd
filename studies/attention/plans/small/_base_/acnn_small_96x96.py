"""The network of the experiments: small enough for many trainings on a CPU.

The data root is what the environment variable ACNN_DATA_ROOT says, else `data/toy/`. Samples are
made in the training process, which keeps one core busy and no more.
"""

_base_ = ['../../../../../configs/toy/_base_/acnn_toy_128x128.py']

# below _base_: a config that imports before it is taken for another kind by MMEngine
from acnn_mmpose.datasets import with_codec

codec = dict(type='MSRAHeatmap', input_size=(96, 96), heatmap_size=(24, 24), sigma=1)

model = dict(head=dict(decoder=codec))

train_pipeline = with_codec(_base_.train_pipeline, codec)
val_pipeline = with_codec(_base_.val_pipeline, codec)

in_process = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(**in_process, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(**in_process, dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader

# bfloat16 on a CPU, at two thirds of float32's time; without effect on a GPU
optim_wrapper = dict(type='CpuAmpOptimWrapper')

# figures are those of the last epoch: the best one would be chosen by what it is judged by
default_hooks = dict(checkpoint=dict(save_best=None))

"""The network of the experiments: small enough for many trainings on a CPU.

The data root is what the environment variable ACNN_DATA_ROOT says, else `data/toy/`. Samples are
made in the training process, which keeps one core busy and no more.
"""

_base_ = ['../../../../../configs/toy/_base_/acnn_toy_128x128.py']

codec = dict(type='MSRAHeatmap', input_size=(96, 96), heatmap_size=(24, 24), sigma=1)

model = dict(head=dict(decoder=codec))

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

in_process = dict(num_workers=0, persistent_workers=False)
train_dataloader = dict(**in_process, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(**in_process, dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader

# bfloat16 on a CPU, at two thirds of float32's time; without effect on a GPU
optim_wrapper = dict(type='CpuAmpOptimWrapper')

# figures are those of the last epoch: the best one would be chosen by what it is judged by
default_hooks = dict(checkpoint=dict(save_best=None))

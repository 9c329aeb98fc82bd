"""What MMPose's MpiiDataset lacks: a transform and a generated data set to try things on."""

from .transforms import ZeroBasedKeypoints

__all__ = ['ZeroBasedKeypoints']

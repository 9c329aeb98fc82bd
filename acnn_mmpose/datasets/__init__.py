"""What MMPose's MpiiDataset lacks: conversion, a check, the test set, transforms, toy data."""

from .loading import CheckBox, LoadReadableImage, UnreadableImageError, read_image
from .mpii_check import check_mpii
from .mpii_convert import convert as convert_mpii
from .mpii_test import MpiiTestDataset
from .mpii_train import MpiiTrainDataset
from .transforms import SeedSample, ZeroBasedKeypoints

__all__ = [
    'CheckBox',
    'LoadReadableImage',
    'MpiiTestDataset',
    'MpiiTrainDataset',
    'SeedSample',
    'UnreadableImageError',
    'ZeroBasedKeypoints',
    'check_mpii',
    'convert_mpii',
    'read_image',
]

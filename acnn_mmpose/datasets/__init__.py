"""What MMPose's MpiiDataset lacks: conversion, a check, the test set, transforms, toy data."""

from .crop import TopdownCrop
from .crop_cache import LoadCachedCrop, cache_crops
from .loading import CheckBox, LoadReadableImage, UnreadableImageError, read_image
from .mpii_check import check_mpii
from .mpii_convert import convert as convert_mpii
from .mpii_test import MpiiTestDataset
from .mpii_train import MpiiTrainDataset
from .quick import QuickBBoxTransform, QuickMSRAHeatmap
from .reduced_image import LoadReducedImage
from .transforms import SeedSample, ZeroBasedKeypoints

__all__ = [
    'CheckBox',
    'LoadCachedCrop',
    'LoadReadableImage',
    'LoadReducedImage',
    'MpiiTestDataset',
    'MpiiTrainDataset',
    'QuickBBoxTransform',
    'QuickMSRAHeatmap',
    'SeedSample',
    'TopdownCrop',
    'UnreadableImageError',
    'ZeroBasedKeypoints',
    'cache_crops',
    'check_mpii',
    'convert_mpii',
    'read_image',
]

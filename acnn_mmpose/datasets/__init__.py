"""What MMPose's MpiiDataset lacks: conversion, a check, the test set, transforms, toy data."""

from .mpii_check import check_mpii
from .mpii_convert import convert as convert_mpii
from .mpii_test import MpiiTestDataset
from .transforms import SeedSample, ZeroBasedKeypoints

__all__ = ['MpiiTestDataset', 'SeedSample', 'ZeroBasedKeypoints', 'check_mpii', 'convert_mpii']

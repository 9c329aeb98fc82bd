"""What MMPose's MpiiDataset lacks: conversion, a check, the test set, a transform, toy data."""

from .mpii_check import check_mpii
from .mpii_convert import convert as convert_mpii
from .mpii_test import MpiiTestDataset
from .transforms import ZeroBasedKeypoints

__all__ = ['MpiiTestDataset', 'ZeroBasedKeypoints', 'check_mpii', 'convert_mpii']

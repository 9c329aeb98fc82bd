"""From a trained network to one that runs fast, or anywhere.

This file imports nothing: :mod:`.onnx_predictor` works where torch and MMPose are not installed.
"""

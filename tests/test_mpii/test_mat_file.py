from __future__ import annotations

import os
import signal

from acnn_mmpose.errors import ACNNError
from acnn_mmpose.mpii import mat_file

import numpy as np
import pytest
from scipy.io import savemat


def test_variables_are_read_in_the_order_that_they_are_named(tmp_path):
    savemat(tmp_path / 'a.mat', {'x': np.arange(3), 'y': 1, 'other': 2})
    y, x = mat_file.load_mat(tmp_path / 'a.mat', 'y', 'x')
    assert (y.tolist(), x.tolist()) == ([[1]], [[0, 1, 2]])
    with pytest.raises(ACNNError, match="a.mat has no variable 'z': give another"):
        mat_file.load_mat(tmp_path / 'a.mat', 'x', 'z')
    with pytest.raises(ACNNError, match='nowhere.mat does not exist'):
        mat_file.load_mat('nowhere.mat', 'x')


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')
def test_a_file_that_crashes_the_reader_is_refused(tmp_path, monkeypatch):
    def crash(_):
        os.kill(os.getpid(), signal.SIGSEGV)

    (tmp_path / 'a.mat').touch()
    monkeypatch.setattr(mat_file, 'loadmat', crash)
    with pytest.raises(ACNNError, match=r'a.mat can not be read .* the reader crashes'):
        mat_file.load_mat(tmp_path / 'a.mat', 'x')


@pytest.mark.parametrize('error', [IndexError, KeyError, UnboundLocalError, MemoryError])
def test_whatever_the_reader_raises_becomes_one_sentence(tmp_path, monkeypatch, error):
    def fail(_):
        raise error('inside')

    (tmp_path / 'a.mat').touch()
    monkeypatch.setattr(mat_file, 'loadmat', fail)
    with pytest.raises(ACNNError, match=r'a.mat can not be read as a MATLAB .*inside'):
        mat_file.load_mat(tmp_path / 'a.mat', 'x')

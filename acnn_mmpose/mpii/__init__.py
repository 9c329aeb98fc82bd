"""MPII's formats: the official .mat to json and back, the validation split, checks, submissions."""

from .check import check_mpii
from .convert import convert as convert_mpii
from .submission import MpiiSubmission

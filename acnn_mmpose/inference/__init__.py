"""Prediction on images, folders, videos and webcams, with pictures and json."""

from .boxes import DetectorBoxes, FileBoxes
from .run import run_inference
from .sources import Frame, open_source
from .to_json import describe_people

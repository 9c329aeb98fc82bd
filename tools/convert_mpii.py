"""Convert MPII's official annotation file to the files that MMPose reads.

python tools/convert_mpii.py mpii_human_pose_v1_u12_1.mat data/mpii/annotations
"""

from __future__ import annotations

import argparse

from acnn_mmpose.errors import run_tool
from acnn_mmpose.mpii import convert_mpii


def main() -> None:
    """Convert and print the report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('mat_file', help="mpii_human_pose_v1_u12_1.mat of MPII's annotations")
    parser.add_argument('out_dir', help='folder for the json and mat files')
    args = parser.parse_args()
    print(convert_mpii(args.mat_file, args.out_dir))


if __name__ == '__main__':
    run_tool(main)

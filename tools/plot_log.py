"""Plot the logs of several runs in a row, for example of the three phases.

python tools/plot_log.py work_dirs/acnn_phase1 work_dirs/acnn_phase2 work_dirs/acnn_phase3 out.png
"""

from __future__ import annotations

import argparse

from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.evaluation import read_run
from acnn_mmpose.visualization import plot_runs
from acnn_mmpose.visualization.plots import save_figure

PICTURES = ('.png', '.pdf', '.svg')


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('work_dirs', nargs='+', help='folders of runs, in order')
    parser.add_argument('out', help='picture to write (png, pdf, svg)')
    return parser.parse_args()


def main() -> None:
    """Read, plot, save."""
    args = parse_args()
    if not args.out.endswith(PICTURES):
        raise ACNNError(f'{args.out} must end in {", ".join(PICTURES)}: name the picture last')
    figure = plot_runs([read_run(work_dir) for work_dir in args.work_dirs])
    save_figure(figure, args.out, dpi=150)


if __name__ == '__main__':
    run_tool(main)

"""Draw what each stage keeps and the pose, for a few people of the test set.

python tools/visualize.py configs/acnn_phase3.py work_dirs/acnn_phase3/epoch_100.pth out.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import run_tool
from acnn_mmpose.visualization import draw_overview, view_people

from mmpose.apis import init_model


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', help='picture to write (png, pdf, svg)')
    parser.add_argument('--num-people', type=int, default=4, help='rows of the figure')
    parser.add_argument('--device', default='cpu', help='for example cuda:0')
    return parser.parse_args()


def main() -> None:
    """Predict and draw."""
    args = parse_args()
    cfg = engine.load_config(args.config)
    engine.check_data(cfg, 'test')
    engine.set_checkpoint(cfg, args.checkpoint)
    model = init_model(cfg, args.checkpoint, args.device)
    figure = draw_overview(
        view_people(model, args.num_people), model.dataset_meta['skeleton_links']
    )
    Path(args.out).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=150)


if __name__ == '__main__':
    run_tool(main)

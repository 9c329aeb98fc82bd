"""Draw a few people of the config's test_dataloader as the network sees them, such as story boards.

python tools/visualize.py configs/acnn_phase3.py work_dirs/acnn_phase3/epoch_100.pth out.png
"""

from __future__ import annotations

import argparse
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.files import make_folder, write_picture
from acnn_mmpose.visualization import MODES, draw_people

from mmpose.registry import DATASETS


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('out', help='picture to write (png, jpg)')
    parser.add_argument('--num-people', type=int, default=4, help='how many people')
    parser.add_argument('--show', choices=MODES, default='story', help='what to draw of each')
    parser.add_argument('--device', default='cpu', help='for example cuda:0')
    return parser.parse_args()


def main() -> None:
    """Predict and draw."""
    args = parse_args()
    if not args.out.endswith(('.png', '.jpg')):
        raise ACNNError(f'{args.out} must end in .png or .jpg')
    make_folder(Path(args.out).parent, 'the output folder')
    cfg = engine.load_config(args.config)
    engine.check_data(cfg, 'test')
    model = engine.load_model(cfg, args.checkpoint, args.device)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    write_picture(args.out, draw_people(model, dataset, args.num_people, args.show))


if __name__ == '__main__':
    run_tool(main)

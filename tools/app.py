"""Look at pose, masks and heatmaps of a photograph in the browser.

python tools/app.py CONFIG CHECKPOINT        # then open the address that it prints
python tools/app.py                          # with the weights in weights/
"""

from __future__ import annotations

import argparse
import signal
from pathlib import Path

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.inference import DetectorBoxes

from page.viewer import Viewer

ROOT = Path(__file__).parents[1]
CONFIG = str(ROOT / 'configs/reference/acnn_reference_phase2.py')
CHECKPOINT = max(map(str, (ROOT / 'weights').glob('acnn_reference-*.safetensors')), default=None)


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', nargs='?', help='config file')
    parser.add_argument('checkpoint', nargs='?', help='its checkpoint file')
    parser.add_argument('--detector', help="config file of a detector of MMDetection's")
    parser.add_argument('--detector-checkpoint', help='its checkpoint file')
    parser.add_argument('--device', default='cpu', help='for example cuda:0')
    parser.add_argument(
        '--host', default='127.0.0.1', help='address to listen at; 0.0.0.0 lets everybody in'
    )
    parser.add_argument('--port', type=int, help='default: the first free one from 7860')
    args = parser.parse_args()
    if args.config is None:
        args.config, args.checkpoint = CONFIG, CHECKPOINT
    if args.checkpoint is None:
        raise ACNNError('there are no weights: give a config and a checkpoint')
    if bool(args.detector) != bool(args.detector_checkpoint):
        raise ACNNError('--detector and --detector-checkpoint belong together: give both')
    return args


def main() -> None:
    """Serve the page until Ctrl-C."""
    args = parse_args()
    try:
        from page.layout import serve
    except ModuleNotFoundError as error:
        if error.name != 'gradio':
            raise
        raise ACNNError("the page needs gradio: pip install 'gradio>=6,<7'") from error
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # clean up then, too
    model = engine.load_model(engine.load_config(args.config), args.checkpoint, args.device)
    find_boxes = None
    if args.detector:
        find_boxes = DetectorBoxes(args.detector, args.detector_checkpoint, args.device)
    with serve(Viewer(model, find_boxes), args.host, args.port) as page:
        print(f'{page.local_url} (Ctrl-C ends it)', flush=True)
        page.block_thread()


if __name__ == '__main__':
    run_tool(main)

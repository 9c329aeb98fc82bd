"""Predict an image, a folder, a video or a webcam; write pictures or a video, and a json.

python tools/infer.py CONFIG CHECKPOINT photo.jpg
python tools/infer.py CONFIG CHECKPOINT folder/ --show story --boxes boxes.json
python tools/infer.py CONFIG CHECKPOINT video.mp4 --detector det.py --detector-checkpoint det.pth
python tools/infer.py CONFIG CHECKPOINT 0              # webcam, until Ctrl-C
"""

from __future__ import annotations

import argparse

import acnn_mmpose.engine as engine
from acnn_mmpose.errors import ACNNError, run_tool
from acnn_mmpose.inference import DetectorBoxes, FileBoxes, open_source, run_inference
from acnn_mmpose.visualization import MODES, AttentionVisualizer


def parse_args() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='checkpoint file')
    parser.add_argument('source', help='image, folder, video file or webcam index')
    parser.add_argument('--out-dir', default='predictions', help='folder to write to')
    parser.add_argument('--show', choices=MODES, default='attention', help='what pictures show')
    parser.add_argument(
        '--boxes', help='json file {"name.jpg": [[x1, y1, x2, y2], ...]}; default: whole images'
    )
    parser.add_argument('--detector', help="config file of a detector of MMDetection's")
    parser.add_argument('--detector-checkpoint', help='its checkpoint file')
    parser.add_argument('--masks', action='store_true', help='write masks into the json, too')
    parser.add_argument('--device', default='cpu', help='for example cuda:0')
    args = parser.parse_args()
    if args.boxes and args.detector:
        raise ACNNError('--boxes and --detector both say where people are: give one of them')
    if bool(args.detector) != bool(args.detector_checkpoint):
        raise ACNNError('--detector and --detector-checkpoint belong together: give both')
    return args


def main() -> None:
    """Predict and report."""
    args = parse_args()
    cfg = engine.load_config(args.config)
    source = open_source(args.source)
    file_boxes = FileBoxes(args.boxes) if args.boxes else None
    model = engine.load_model(cfg, args.checkpoint, args.device)
    find_boxes: FileBoxes | DetectorBoxes | None = file_boxes
    if args.detector:
        find_boxes = DetectorBoxes(args.detector, args.detector_checkpoint, args.device)
    visualizer = AttentionVisualizer(mode=args.show)
    done = run_inference(model, source, visualizer, args.out_dir, find_boxes, args.masks)
    print(f'{done.images} images, {done.people} people: {args.out_dir}')
    if done.unreadable:
        print('\n'.join([f'{len(done.unreadable)} could not be read:', *done.unreadable.values()]))
    if file_boxes and (missing := file_boxes.missing_images(source)):
        print('\n'.join([f'{len(missing)} images of {args.boxes} are not there:', *missing]))


if __name__ == '__main__':
    run_tool(main)

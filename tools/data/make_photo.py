"""Make the photograph that docs and quickstart show.

    python tools/data/make_photo.py data/pose2sim/pose2sim-0.6.0-*.whl

One frame of the demo session of Pose2Sim 0.6.0 (BSD-3-Clause, see NOTICE),
cut to the person and made smaller: docs/images/balancing.jpg, and beside it
balancing.json, a data set of one for mmd2a.datasets.BodyDataset with box,
camera and triangulated joints.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from mmd2a.cli.launch import run_tool
from mmd2a.files import read_json, write_bytes, write_json

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools' / 'analysis'))

from photo_session import check_wheel, unpack  # noqa: E402

PICTURE = 'cam01_026.jpg'
WINDOW = (140, 350, 800, 1250)  # x1, y1, x2, y2: without the bystander
SCALE = 0.9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('wheel', type=Path)
    parser.add_argument(
        '--out', type=Path, default=ROOT / 'docs' / 'images', help='folder'
    )
    args = parser.parse_args()
    check_wheel(args.wheel)
    folder = args.wheel.parent
    unpack(args.wheel, folder)
    [entry] = (
        entry
        for entry in read_json(folder / 'annotations.json')['data_list']
        if entry['img_path'] == PICTURE
    )
    x1, y1, x2, y2 = WINDOW
    picture = cv2.imread(str(folder / PICTURE))[y1:y2, x1:x2]
    picture = cv2.resize(
        picture, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA
    )
    _, data = cv2.imencode('.jpg', picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    write_bytes(args.out / 'balancing.jpg', data.tobytes())

    # Pixel centres are at integers: x -> (x - x1 + 1/2) s - 1/2.
    move = np.diag([SCALE, SCALE, 1.0])
    move[:2, 2] = (0.5 - np.array([x1, y1])) * SCALE - 0.5
    points = np.reshape(entry['bbox'], (2, 2)) @ move[:2, :2] + move[:2, 2]
    known = np.array(entry['keypoints2d_weight'])[:, None]
    joints = entry['keypoints2d'] @ move[:2, :2] + move[:2, 2]
    entry.update(
        img_path='balancing.jpg',
        bbox=points.reshape(-1).round(2),
        K=(move @ entry['K']).round(3),
        keypoints2d=(joints * known).round(2),
        keypoints3d=np.round(entry['keypoints3d'], 4),
    )
    write_json(
        args.out / 'balancing.json',
        dict(
            metainfo=dict(
                source='Pose2Sim 0.6.0, BalancingTrial, camera 1, frame 26',
                licence='BSD-3-Clause',
            ),
            data_list=[entry],
        ),
        indent=1,
    )


if __name__ == '__main__':
    run_tool(main)

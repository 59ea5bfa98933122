"""Fit the tails of a view's errors, which `fuse_views` weighs views by.

    python tools/analysis/fit_view_tails.py CONFIG CHECKPOINT

Of every person, m is the mean over joints of the squared distance between
prediction and label in units of sigma. Where all joints of a view are off
together and sigma is right, m / 3 has an F distribution of 3 and nu degrees
of freedom; nu is that of the largest likelihood, infinite where errors are
Gaussian. Beside it: how far the root is off along the ray of its pixel and
across it, metres, root mean square.
"""

import argparse

import numpy as np
from draw_sheet import build_model, require_d2a_hmr
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from person_meshes import predict_people
from scipy import optimize, stats

from mmd2a.apis import PersonMesh
from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    add_option_argument,
    check_packages,
    read_config,
    require_parts,
)
from mmd2a.registry import DATASETS

MOST = 100.0


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument(
        'checkpoint', help='file, or name of weights that ship'
    )
    parser.add_argument('--splits', nargs='+', default=['test', 'ood'])
    parser.add_argument('--num', type=int, default=200, help='of each split')
    add_option_argument(parser)
    return parser.parse_args()


def squares(people: list[PersonMesh], joints: NDArray) -> NDArray:
    """Mean squared distance (N,) to root-relative labels, in sigma."""
    away = np.stack([p.keypoints3d for p in people]) - joints
    sigma = np.stack([p.keypoints3d_sigma for p in people])
    return np.square(away / sigma).sum(-1).mean(1)


def fit_tails(square: NDArray) -> float:
    """Degrees of freedom of the largest likelihood, at most 100."""

    def cost(dof: float) -> float:
        return -float(stats.f.logpdf(square / 3, 3, dof).sum())

    return float(
        optimize.minimize_scalar(cost, bounds=(0.1, MOST), method='bounded').x
    )


def off_the_ray(people: list[PersonMesh], roots: NDArray) -> tuple:
    """How far roots are off along their rays and across, m, RMS."""
    away = np.stack([p.transl for p in people]) - roots
    rays = roots / np.linalg.norm(roots, axis=1, keepdims=True)
    along = (away * rays).sum(1)
    across = np.square(away).sum(1) - along**2
    return np.sqrt(np.mean(along**2)), np.sqrt(np.mean(across) / 2)


def main() -> None:
    args = parse_args()
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_d2a_hmr(cfg.get('model', {}))
    require_parts(cfg, 'test')
    model = build_model(cfg.model, checkpoint_address(args.checkpoint))
    ids = model.objective.root_ids
    for split in args.splits:
        dataset = DATASETS.build(
            dict(cfg.test_dataloader.dataset, split=split)
        )
        picks = np.linspace(0, len(dataset) - 1, args.num).astype(int)
        people = predict_people(model, dataset, picks.tolist())
        joints = np.stack(
            [dataset.get_data_info(int(i))['keypoints3d'] for i in picks]
        )
        roots = joints[:, ids].mean(1, keepdims=True)
        square = squares(people, joints - roots)
        along, across = off_the_ray(people, roots[:, 0])
        print(
            f'{split}: nu {fit_tails(square):.1f}; m '
            f'{np.median(square):.1f} in the middle, '
            f'{np.quantile(square, 0.9):.1f} at 90 %; root {along:.2f} m '
            f'along its ray, {across:.2f} m across'
        )


if __name__ == '__main__':
    run_tool(main)

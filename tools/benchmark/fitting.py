"""Time and judge fits of the body to meshes, beside smplfitter, in one run.

    OMP_NUM_THREADS=1 python tools/benchmark/fitting.py

People of the embedded splits are posed, as the generator poses them, and
fitted again; 'ood' holds poses of which 'train' has none. Prints for every
split the median over rounds of the bodies per second and per second of CPU
time (less where other work shares the caches), and mean, 95th percentile and
largest of the mean vertex errors, mm.

The rows of smplfitter need it installed (pip install --no-deps smplfitter;
MIT, a peer for this comparison alone). It is given the same body, fits
vertices by its own number of iterations without a prior on the shape, and
does not turn toes.
"""

import argparse
import importlib.util
import statistics
import time
from collections.abc import Callable
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from mmd2a.body_models import BodyFitter, SMPLBodyModel, build_body
from mmd2a.people.poses import SPLITS, sample_pose

Fit = Callable[[Tensor], dict[str, Tensor]]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time and judge fits of the body to meshes.',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--people', type=int, default=200, help='per split')
    parser.add_argument(
        '--splits', nargs='+', choices=SPLITS, default=['test', 'ood']
    )
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--threads', type=int, default=1)
    parser.add_argument('--body', help='SMPL-format npz; embedded if not set')
    return parser.parse_args()


def posed_people(body: SMPLBodyModel, split: str, count: int) -> Tensor:
    """Meshes (B, V, 3) of a split's poses and shapes, before a camera."""
    rng = np.random.default_rng([0, SPLITS[split]])
    rotations = torch.from_numpy(
        np.stack([sample_pose(rng, split).rotations for _ in range(count)])
    ).float()
    shapes = rng.normal(size=(count, body.num_betas)).clip(-2.5, 2.5)
    places = rng.normal(size=(count, 3)) + np.array([0, 0, 5])
    return body(
        rotations[:, :1],
        rotations[:, 1:],
        torch.from_numpy(shapes).float(),
        torch.from_numpy(places).float(),
        pose_format='matrix',
    ).vertices


def fit_of_smplfitter(body: SMPLBodyModel, num_iter: int) -> Fit:
    """The peer, on the same body."""
    import smplfitter.common
    import smplfitter.pt

    def planes(name: str) -> np.ndarray:
        value = getattr(body, name).unflatten(1, (3, -1))
        return value.permute(2, 1, 0).numpy()

    joints = body._joint_template.numpy()
    posedirs = planes('_pose_planes')
    # Its pose features are the rotations themselves, ours less the identity.
    straight = posedirs @ np.tile(np.eye(3, dtype=np.float32).ravel(), 23)
    data = smplfitter.common.ModelData(
        v_template=body.v_template.numpy() - straight,
        shapedirs=planes('_shape_planes'),
        posedirs=posedirs,
        J_regressor_post_lbs=body._regressor('smpl24').numpy(),
        J_template=joints,
        J_shapedirs=body._joint_shapedirs.permute(1, 2, 0).numpy(),
        kid_shapedir=np.zeros_like(body.v_template.numpy()),
        kid_J_shapedir=np.zeros_like(joints),
        _has_kid_template=False,
        weights=body.weights.numpy(),
        kintree_parents=list(body.parents),
        faces=body.faces.numpy(),
        num_joints=body.num_joints,
        num_vertices=body.num_vertices,
        vertex_subset=np.arange(body.num_vertices),
        joint_names=list(body.joint_names('smpl24')),
    )
    # It reads pickles of SMPL only.
    with mock.patch.object(smplfitter.common, 'initialize', return_value=data):
        fitter = smplfitter.pt.BodyFitter(smplfitter.pt.BodyModel())

    def fit(meshes: Tensor) -> dict[str, Tensor]:
        found = [
            fitter.fit(
                part,
                num_iter=num_iter,
                beta_regularizer=0,
                requested_keys=['pose_rotvecs', 'shape_betas'],
            )
            for part in meshes.split(32)
        ]
        pose, betas, transl = (
            torch.cat([f[k] for f in found])
            for k in ('pose_rotvecs', 'shape_betas', 'trans')
        )
        return dict(
            global_orient=pose[:, :3],
            body_pose=pose[:, 3:],
            betas=betas,
            transl=transl,
        )

    return fit


@torch.no_grad()
def main() -> None:
    args = parse_args()
    torch.set_num_threads(args.threads)
    body = build_body(args.body and dict(path=args.body))
    fitter = BodyFitter(body)
    fits: dict[str, Fit] = {
        'mmd2a.BodyFitter': lambda meshes: fitter(meshes).parameters()
    }
    if importlib.util.find_spec('smplfitter'):
        for num_iter in (1, 3, 10):
            name = f'smplfitter, {num_iter} iterations'
            fits[name] = fit_of_smplfitter(body, num_iter)
    print(
        f'{args.people} people a split, {args.threads} thread(s), '
        f'medians of {args.rounds} rounds'
    )
    print(f'{"":33s} bodies/s  /s of CPU   mean    95 %     max  mm')
    for split in args.splits:
        meshes = posed_people(body, split, args.people)
        for name, fit in fits.items():
            fit(meshes[:32])
            wall, cpu = [], []
            for _ in range(args.rounds):
                start = time.perf_counter(), time.process_time()
                found = fit(meshes)
                wall.append(time.perf_counter() - start[0])
                cpu.append(time.process_time() - start[1])
            posed = body(**found).vertices
            error = 1000 * (posed - meshes).norm(dim=-1).mean(1)
            print(
                f'{split:6s}{name:27s}'
                f'{args.people / statistics.median(wall):9.0f}'
                f'{args.people / statistics.median(cpu):11.0f}'
                f'{error.mean():8.3f}{error.quantile(0.95):8.3f}'
                f'{error.max():8.3f}'
            )


if __name__ == '__main__':
    main()

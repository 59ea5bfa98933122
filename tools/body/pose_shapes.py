"""Pose blend shapes: what the full rig does and 24-joint skinning misses.

The 104-bone rig spreads twists along limbs and bends along the spine. Its
meshes in random poses are pulled back to the rest pose, and the difference
is fitted by ridge regression on the entries of R - I of nearby joints.
N: poses, V: vertices, B: bones.
"""

import numpy as np
from anny_rig import MIRROR, SIDES, Rig
from scipy.spatial.transform import Rotation
from tqdm import tqdm

from mmd2a.body_models.joint_sets import SMPL_PARENTS
from mmd2a.body_models.mirror import SMPL_FLIP_PERMUTATION

# Range of axis-angle components (low, high), rad, of left and middle joints.
JOINT_LIMITS = {
    'hip': ((-1.9, 0.5), (-0.6, 0.6), (-0.4, 0.7)),
    'spine1': ((-0.2, 0.5), (-0.3, 0.3), (-0.25, 0.25)),
    'knee': ((0.0, 2.2), (-0.15, 0.15), (-0.1, 0.1)),
    'spine2': ((-0.2, 0.4), (-0.3, 0.3), (-0.25, 0.25)),
    'ankle': ((-0.6, 0.4), (-0.2, 0.2), (-0.3, 0.3)),
    'spine3': ((-0.15, 0.3), (-0.25, 0.25), (-0.2, 0.2)),
    'foot': ((-0.4, 0.3), (-0.05, 0.05), (-0.05, 0.05)),
    'neck': ((-0.4, 0.5), (-0.5, 0.5), (-0.35, 0.35)),
    'collar': ((-0.1, 0.1), (-0.3, 0.2), (-0.15, 0.5)),
    'head': ((-0.4, 0.4), (-0.5, 0.5), (-0.3, 0.3)),
    'shoulder': ((-0.9, 0.9), (-1.2, 0.6), (-1.4, 1.1)),
    'elbow': ((-0.6, 0.6), (-2.2, 0.0), (-0.1, 0.1)),
    'wrist': ((-0.5, 0.5), (-0.3, 0.3), (-0.8, 0.8)),
    'hand': ((-0.05, 0.05), (-0.1, 0.1), (-0.5, 0.3)),
}
RIDGE = 2e-3
MAX_CORRECTION = 0.06
MIN_INFLUENCE = 0.03
SMALLEST_KEPT = 2e-4


def sample_poses(
    count: int, names: tuple[str, ...], rng: np.random.Generator
) -> np.ndarray:
    """Draw poses (N, 24, 3) within the joint limits, root upright.

    Each joint is squeezed towards rest by a random factor, so that both
    mild poses and the ends of the ranges occur.
    """
    low, high = np.zeros((24, 3)), np.zeros((24, 3))
    for joint, name in enumerate(names[1:], start=1):
        side, _, part = name.rpartition('_')
        limits = np.array(JOINT_LIMITS[part])
        if side == 'right':
            limits = limits * MIRROR[:, None] * -1
            limits = np.sort(limits, 1)
        low[joint], high[joint] = limits.T
    poses = low + rng.random((count, 24, 3)) * (high - low)
    return poses * rng.random((count, 24, 1))


class FullRig:
    """The 104-bone rig driven by SMPL rotations."""

    def __init__(
        self,
        rig: Rig,
        rest: np.ndarray,
        rest_heads: np.ndarray,
        turns: np.ndarray,
        heads: np.ndarray,
    ) -> None:
        """Take one body at Anny's rest, and its T-pose (pelvis at zero)."""
        self.rig, self.rest, self.rest_heads = rig, rest, rest_heads
        self.turns, self.heads = turns, heads

    def __call__(self, rotations: np.ndarray) -> np.ndarray:
        """Local rotations (N, 24, 3, 3) -> vertices (N, V, 3)."""
        turns = self._bone_turns(rotations)
        places = np.zeros(turns.shape[:3])
        for bone, parent in enumerate(self.rig.parents):
            if parent < 0:
                # The pelvis joint (the origin) is the pivot, not the root.
                places[:, bone] = turns[:, bone] @ self.heads[bone]
                continue
            offset = self.heads[bone] - self.heads[parent]
            places[:, bone] = places[:, parent] + turns[:, parent] @ offset
        count = len(rotations)
        return self.rig.skin(
            turns @ self.turns,
            places,
            np.broadcast_to(self.rest, (count, *self.rest.shape)),
            np.broadcast_to(self.rest_heads, places.shape),
        )

    def _bone_turns(self, local: np.ndarray) -> np.ndarray:
        world = world_rotations(local)
        turns = np.repeat(world[:, :1], len(self.rig.labels), 1)

        def put(label: str, value: np.ndarray) -> None:
            turns[:, self.rig.index(label)] = value

        def partly(parent: int, joint: int, share: float) -> np.ndarray:
            vector = Rotation.from_matrix(local[:, joint]).as_rotvec()
            return (
                world[:, parent]
                @ Rotation.from_rotvec(vector * share).as_matrix()
            )

        put('spine04', partly(0, 3, 0.5))
        for bone, joint in (
            ('spine03', 3),
            ('spine02', 6),
            ('spine01', 9),
            ('neck03', 12),
            ('head', 15),
            ('eye.L', 15),
            ('eye.R', 15),
        ):
            put(bone, world[:, joint])
        put('neck01', partly(9, 12, 0.4))
        put('neck02', partly(9, 12, 0.7))
        for i, (side, sign) in enumerate(SIDES):
            put('pelvis' + side, partly(0, 1 + i, 0.08))
            put('clavicle' + side, partly(9, 13 + i, 0.6))
            put('shoulder01' + side, partly(13 + i, 16 + i, 0.1))
            put('foot' + side, world[:, 7 + i])
            put('wrist' + side, world[:, 20 + i])
            down, out = np.array([0.0, -1, 0]), np.array([sign, 0.0, 0])
            # (bone, joint, axis, share of the joint's twist taken by the
            # first half, share of the next joint's twist by the second)
            for bone, joint, axis, first, after, second in (
                ('upperleg', 1 + i, down, 0.45, 4 + i, 0.0),
                ('lowerleg', 4 + i, down, 0.5, 7 + i, 0.0),
                ('upperarm', 16 + i, out, 0.4, 18 + i, 0.0),
                ('lowerarm', 18 + i, out, 0.45, 20 + i, 0.5),
            ):
                parent = world[:, SMPL_PARENTS[joint]]
                twist = _twist(local[:, joint], axis)
                swing = (
                    local[:, joint] @ Rotation.from_rotvec(-twist).as_matrix()
                )
                put(
                    f'{bone}01{side}',
                    parent
                    @ swing
                    @ Rotation.from_rotvec(first * twist).as_matrix(),
                )
                next_twist = _twist(local[:, after], axis)
                put(
                    f'{bone}02{side}',
                    world[:, joint]
                    @ Rotation.from_rotvec(second * next_twist).as_matrix(),
                )
            for label in self.rig.labels:
                if not label.endswith(side):
                    continue
                if label.startswith(('metacarpal', 'finger1-1')):
                    put(label, world[:, 20 + i])
                elif label.startswith('finger'):
                    put(label, world[:, 22 + i])
                elif label.startswith('toe'):
                    put(label, world[:, 10 + i])
        return turns


def world_rotations(local: np.ndarray) -> np.ndarray:
    """Compose local rotations (N, 24, 3, 3) along the tree."""
    world = local.copy()
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        world[:, joint] = world[:, parent] @ local[:, joint]
    return world


def _twist(rotation: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Rotation vectors (N, 3) of the part of a rotation about an axis."""
    quaternion = Rotation.from_matrix(rotation).as_quat(canonical=True)
    angle = 2 * np.arctan2(quaternion[:, :3] @ axis, quaternion[:, 3])
    return angle[:, None] * axis


def skinning(
    weights: np.ndarray, joints: np.ndarray, local: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Per-vertex motions of 24-joint skinning, and the posed joints.

    weights (V, 24), joints (24, 3), local (N, 24, 3, 3) ->
    (N, V, 3, 4), (N, 24, 3).
    """
    world = world_rotations(local)
    posed = np.zeros((len(local), 24, 3))
    posed[:, 0] = joints[0]
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        posed[:, joint] = posed[:, parent] + world[:, parent] @ (
            joints[joint] - joints[parent]
        )
    shift = posed - np.einsum('njab,jb->nja', world, joints)
    motion = np.concatenate([world, shift[..., None]], -1)
    blend = np.einsum(
        'vj,njk->nvk', weights, motion.reshape(-1, 24, 12), optimize=True
    )
    return blend.reshape(*blend.shape[:2], 3, 4), posed


def _corrections(
    full_rig: FullRig,
    template: np.ndarray,
    joints: np.ndarray,
    weights: np.ndarray,
    poses: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Features (N, 207) and rest-pose differences (N, V, 3)."""
    local = Rotation.from_rotvec(poses.reshape(-1, 3)).as_matrix()
    local = local.reshape(-1, 24, 3, 3)
    blend, _ = skinning(weights, joints, local)
    linear = blend[..., :3]
    posed = (linear @ template[..., None])[..., 0] + blend[..., 3]
    gap = full_rig(local) - posed
    # Where the blended motion nearly collapses (a folded joint) its inverse
    # would blow the difference up: damp it, then bound it.
    normal = linear.swapaxes(-1, -2) @ linear + 1e-2 * np.eye(3)
    pulled = np.linalg.solve(normal, linear.swapaxes(-1, -2) @ gap[..., None])[
        ..., 0
    ]
    features = (local[:, 1:] - np.eye(3)).reshape(len(poses), -1)
    return features, np.clip(pulled, -MAX_CORRECTION, MAX_CORRECTION)


def fit_pose_shapes(
    full_rig: FullRig,
    template: np.ndarray,
    joints: np.ndarray,
    weights: np.ndarray,
    names: tuple[str, ...],
    count: int,
    seed: int,
) -> tuple[np.ndarray, str]:
    """Fit posedirs (V, 3, 207); the report tells the held-out gap."""
    rng = np.random.default_rng(seed)
    size = len(template)
    features_sq = np.zeros((207, 207))
    moments = np.zeros((207, 3 * size))
    chunk = 20
    for _ in tqdm(range(0, count, chunk), desc='poses', unit=f'x{chunk}'):
        features, target = _corrections(
            full_rig,
            template,
            joints,
            weights,
            sample_poses(chunk, names, rng),
        )
        features_sq += features.T @ features
        moments += features.T @ target.reshape(chunk, -1)
    moments = moments.reshape(207, size, 3)
    # A mirrored pose has the mirrored target: same as training on both.
    order, sign = _feature_mirror()
    features_sq = features_sq + (
        features_sq[np.ix_(order, order)] * sign * sign[:, None]
    )
    moments = moments + (
        moments[order][:, full_rig.rig.mirror_vertices]
        * sign[:, None, None]
        * MIRROR
    )
    posedirs = _ridge(features_sq, moments, weights, 2 * count)

    features, target = _corrections(
        full_rig, template, joints, weights, sample_poses(60, names, rng)
    )
    left = target - np.einsum('nk,vck->nvc', features, posedirs, optimize=True)
    before, after = (np.linalg.norm(x, axis=-1) * 1e3 for x in (target, left))
    return posedirs, (
        f'held-out gap to the full rig: {before.mean():.2f} mm without, '
        f'{after.mean():.2f} mm with pose blend shapes (99th percentile '
        f'{np.percentile(before, 99):.1f} -> {np.percentile(after, 99):.1f})'
    )


def _feature_mirror() -> tuple[np.ndarray, np.ndarray]:
    """How a mirror image permutes and signs the 207 features."""
    joints = np.array(SMPL_FLIP_PERMUTATION[1:]) - 1
    order = (joints[:, None] * 9 + np.arange(9)).ravel()
    sign = np.tile(np.outer(MIRROR, MIRROR).ravel(), 23)
    return order, sign


def _ridge(
    features_sq: np.ndarray,
    moments: np.ndarray,
    weights: np.ndarray,
    count: int,
) -> np.ndarray:
    """Solve per group of vertices that see the same joints."""
    near = [
        {
            joint,
            *(c for c, p in enumerate(SMPL_PARENTS) if p == joint),
            max(SMPL_PARENTS[joint], 0),
        }
        for joint in range(24)
    ]
    groups: dict[tuple[int, ...], list[int]] = {}
    for vertex, row in enumerate(weights > MIN_INFLUENCE):
        seen = set().union(*(near[j] for j in np.flatnonzero(row))) - {0}
        groups.setdefault(tuple(sorted(seen)), []).append(vertex)
    posedirs = np.zeros((weights.shape[0], 3, 207))
    for seen, members in groups.items():
        columns = np.concatenate(
            [np.arange(9) + 9 * (joint - 1) for joint in seen]
        )
        solution = np.linalg.solve(
            features_sq[np.ix_(columns, columns)]
            + RIDGE * count * np.eye(len(columns)),
            moments[np.ix_(columns, members)].reshape(len(columns), -1),
        )
        posedirs[np.ix_(members, range(3), columns)] = solution.reshape(
            len(columns), len(members), 3
        ).transpose(1, 2, 0)
    posedirs[np.abs(posedirs) < SMALLEST_KEPT] = 0
    return posedirs

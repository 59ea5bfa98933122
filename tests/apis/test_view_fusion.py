"""Several cameras, one person: what fusing must and must not do."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from mmd2a.apis import PersonMesh, fuse_views, seen_from
from mmd2a.body_models import BodyFitter, joint_names

NAMES = joint_names('h36m14')
ROOM = np.array([[800.0, 0, 319.5], [0, 800, 239.5], [0, 0, 1]])
FIELDS = ('vertices', 'keypoints3d', 'transl', 'sigma', 'keypoints3d_sigma')


def person(rng, transl=(0.1, -0.2, 4.0), **changes) -> PersonMesh:
    """Somebody before a camera: joints are the first of 20 vertices."""
    points = rng.normal(0, 0.4, (20, 3)).astype(np.float32)
    root = np.array(transl)
    joints = points[:14]
    seen = (joints + root) @ ROOM.T
    seen = (seen[:, :2] / seen[:, 2:]).astype(np.float32)
    middle = ROOM @ root / root[2]
    scale = 2 * 800 / (root[2] * 200)
    crop = np.array([[1.0, 0, 99.5 - middle[0]], [0, 1, 99.5 - middle[1]]])
    values = dict(
        vertices=points,
        keypoints3d=joints,
        keypoints2d=seen,
        joint_names=NAMES,
        transl=root.astype(np.float32),
        camera=np.array([scale, 0, 0], np.float32),
        K=ROOM,
        camera_source='given',
        bbox=np.array([0.0, 0, 640, 480]),
        score=1.0,
        crop_matrix=crop,
        crop_size=(200, 200),
        image_size=(480, 640),
        sigma=np.full(20, 0.1, np.float32),
        keypoints3d_sigma=np.full((14, 3), 0.1, np.float32),
    )
    return PersonMesh(**(values | changes))


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def cameras(count, rng):
    """Cameras around the origin of the world that look at it."""
    R, t = [], []
    for angle in np.linspace(0, 2, count) + rng.uniform(0, 0.1, count):
        R.append(Rotation.from_euler('yx', [angle, 0.2]).as_matrix())
        t.append([0.0, 0.1, 4 + rng.uniform(-0.5, 0.5)])
    return np.stack(R), np.array(t)


def view(whole, R, t, **changes):
    """Someone of the world, exactly as a camera has them."""
    root = R @ whole['root'] + t
    return person(
        np.random.default_rng(0),
        root,
        vertices=(whole['points'] @ R.T).astype(np.float32),
        keypoints3d=(whole['points'][:14] @ R.T).astype(np.float32),
        **changes,
    )


@pytest.fixture
def whole(rng):
    return dict(points=rng.normal(0, 0.4, (20, 3)), root=np.full(3, 0.2))


def same(one, other, fields=FIELDS, atol=2e-6):
    for name in fields:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), atol=atol, err_msg=name
        )


@pytest.mark.parametrize('tails', [1.0, math.inf])
def test_one_view_is_what_it_was(rng, tails):
    alone = person(
        rng,
        sigma=rng.uniform(0.1, 0.2, 20),
        keypoints3d_sigma=rng.uniform(0.1, 0.2, (14, 3)),
    )
    fused = fuse_views([alone], np.eye(3)[None], np.zeros((1, 3)), tails=tails)
    same(fused, alone)
    assert fused.camera_source == 'world' and np.isnan(fused.keypoints2d).all()


def test_a_person_of_the_world_returns_before_the_camera(rng):
    alone = person(rng)
    R, t = cameras(1, rng)
    again = seen_from(fuse_views([alone], R, t), alone, R[0], t[0])
    same(again, alone)
    same(again, alone, ('keypoints2d', 'camera', 'K', 'bbox'), atol=1e-3)


def test_a_view_of_infinite_sigma_has_no_say(rng):
    R, t = cameras(3, rng)
    people = [person(rng) for _ in R]
    nothing = dict(
        sigma=np.full(20, np.inf), keypoints3d_sigma=np.full((14, 3), np.inf)
    )
    blind = replace(people[2], **nothing)
    same(
        fuse_views([*people[:2], blind], R, t),
        fuse_views(people[:2], R[:2], t[:2]),
    )


def test_turning_the_world_turns_the_result(rng):
    R, t = cameras(3, rng)
    people = [
        person(rng, keypoints3d_sigma=rng.uniform(0.1, 0.3, (14, 3)))
        for _ in R
    ]
    turn, shift = (
        Rotation.random(random_state=1).as_matrix(),
        rng.normal(size=3),
    )
    before = fuse_views(people, R, t)
    # X' = turn X + shift is seen where X was.
    R_new = R @ turn.T
    after = fuse_views(people, R_new, t - R_new @ shift)
    for name in ('vertices', 'keypoints3d'):
        np.testing.assert_allclose(
            getattr(after, name), getattr(before, name) @ turn.T, atol=1e-5
        )
    np.testing.assert_allclose(
        after.transl, turn @ before.transl + shift, atol=1e-5
    )
    np.testing.assert_allclose(after.sigma, before.sigma, rtol=1e-5)


def test_two_views_at_a_right_angle_are_a_product_of_gaussians(whole):
    """The second looks along x of the world: its z is that axis."""
    quarter = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    R = np.stack([np.eye(3), quarter])
    t = np.array([[0.0, 0, 4], [0.3, 0, 5]])
    sigma = np.array([[0.1, 0.1, 0.4], [0.2, 0.1, 0.5]])
    views = [
        view(
            whole,
            turn,
            shift,
            keypoints3d_sigma=np.tile(s, (14, 1)),
            sigma=np.full(20, s[0]),
        )
        for turn, shift, s in zip(R, t, sigma)
    ]
    moved = views[1].keypoints3d + np.float32(0.05)  # along all of its axes
    views[1] = replace(views[1], keypoints3d=moved)
    fused = fuse_views(views, R, t, tails=math.inf)
    # x, y, z of the world are -z, y, x of the second camera.
    first, second = sigma[0] ** -2, sigma[1, [2, 1, 0]] ** -2
    share = second / (first + second)
    off = quarter.T @ np.full(3, 0.05)
    np.testing.assert_allclose(
        fused.keypoints3d, whole['points'][:14] + share * off, atol=1e-5
    )
    np.testing.assert_allclose(
        fused.keypoints3d_sigma[0], (first + second) ** -0.5, rtol=1e-5
    )
    np.testing.assert_allclose(fused.sigma, (100 + 25) ** -0.5, rtol=1e-5)
    np.testing.assert_allclose(fused.transl, whole['root'], atol=1e-5)


def test_the_answer_is_the_most_probable_one_of_student_t(rng, whole):
    """Against the likelihood itself, handed to a minimiser of scipy."""
    R, t = cameras(3, rng)
    sigma = rng.uniform(0.1, 0.3, (3, 14, 3))
    views = [
        view(whole, turn, shift, keypoints3d_sigma=s)
        for turn, shift, s in zip(R, t, sigma)
    ]
    views = [
        replace(v, keypoints3d=v.keypoints3d + rng.normal(0, 0.2, (14, 3)))
        for v in views
    ]
    fused = fuse_views(views, R, t, tails=2.0)

    def cost(joints):
        total = 0.0
        for v, turn, s in zip(views, R, sigma):
            away = (v.keypoints3d - joints.reshape(14, 3) @ turn.T) / s
            total += math.log1p((away**2).sum(1).mean() / 2.0)
        return total

    start = whole['points'][:14].ravel()
    best = minimize(cost, start, options=dict(gtol=1e-8)).x
    np.testing.assert_allclose(
        fused.keypoints3d, best.reshape(14, 3), atol=1e-4
    )


def test_distance_and_size_come_from_the_rays(rng, whole):
    """Each view has the person nearer or farther, and as much smaller."""
    R, t = cameras(3, rng)
    views = [view(whole, *camera) for camera in zip(R, t)]
    wrong = [
        replace(
            v,
            **{
                name: getattr(v, name) * np.float32(factor)
                for name in ('vertices', 'keypoints3d', 'transl')
            },
        )
        for v, factor in zip(views, (0.8, 0.9, 1.15))
    ]
    fused = fuse_views(wrong, R, t)
    np.testing.assert_allclose(fused.transl, whole['root'], atol=0.02)
    np.testing.assert_allclose(fused.vertices, whole['points'], atol=0.02)


def test_a_view_that_is_wrong_as_a_whole_is_outvoted(rng, whole):
    R, t = cameras(3, rng)
    views = [view(whole, *camera) for camera in zip(R, t)]
    about_face = np.diag([-1.0, 1, -1]).astype(np.float32)
    views[2] = replace(
        views[2],
        vertices=views[2].vertices @ about_face,
        keypoints3d=views[2].keypoints3d @ about_face,
    )
    errors = {
        tails: np.abs(
            fuse_views(views, R, t, tails=tails).vertices - whole['points']
        ).mean()
        for tails in (2.1, math.inf)
    }
    assert errors[2.1] < 0.2 * errors[math.inf]


def test_given_intrinsics_replace_those_of_the_prediction(rng, whole):
    R, t = cameras(2, rng)
    views = [view(whole, *camera) for camera in zip(R, t)]
    guessed = [
        replace(v, K=np.eye(3), camera_source='assumed', transl=v.transl * 9)
        for v in views
    ]
    same(
        fuse_views(guessed, R, t, K=[ROOM] * 2),
        fuse_views(views, R, t),
        atol=1e-4,
    )


def test_parameters_pose_the_fused_mesh_in_world_and_view(body, rng):
    mesh = body(
        torch.tensor([[3.0, 0.2, 0]]),
        torch.randn(1, 69, generator=torch.Generator().manual_seed(0)) * 0.2,
        torch.ones(1, 10),
    ).vertices
    joints = body.regress_joints(mesh, 'h36m14')
    hips = [NAMES.index('left_hip'), NAMES.index('right_hip')]
    root = joints[:, hips].mean(1)
    R, t = cameras(1, rng)
    alone = person(
        rng,
        vertices=(mesh - root)[0].numpy(),
        keypoints3d=(joints - root)[0].numpy(),
        sigma=np.full(len(mesh[0]), 0.1),
    )
    fused = fuse_views([alone], R, t, body_fitter=BodyFitter(body))
    again = seen_from(fused, alone, R[0], t[0], body)
    for told in (fused, again):
        posed = body(
            *(
                torch.from_numpy(getattr(told, name))[None]
                for name in ('global_orient', 'body_pose', 'betas')
            ),
            torch.from_numpy(told.smpl_transl)[None],
        ).vertices[0]
        np.testing.assert_allclose(
            posed, told.vertices + told.transl, atol=1e-3
        )
    assert seen_from(fused, alone, R[0], t[0]).global_orient is None


def test_a_person_of_the_world_is_written(rng, tmp_path):
    R, t = cameras(2, rng)
    fused = fuse_views([person(rng), person(rng)], R, t)
    fused.save(tmp_path / 'person.npz')
    fused.save(tmp_path / 'person.json')
    with np.load(tmp_path / 'person.npz') as saved:
        np.testing.assert_array_equal(saved['vertices'], fused.vertices)
    text = (tmp_path / 'person.json').read_text()
    assert json.loads(text)['camera'] == [None] * 3


@pytest.mark.parametrize(
    ('changes', 'options', 'words'),
    [
        (dict(sigma=None), {}, 'view 0 has no sigma'),
        (dict(sigma=np.zeros(20)), {}, 'not above 0'),
        (dict(sigma=np.full(20, np.nan)), {}, 'not above 0'),
        (dict(camera_source='assumed'), {}, 'predict with K'),
        (dict(joint_names=('nose',) * 14), {}, 'different joints'),
        ({}, dict(R=-np.stack([np.eye(3)] * 2)), 'no rotation'),
        ({}, dict(R=np.eye(3)), 'a camera per person'),
        ({}, dict(t=np.full((2, 3), np.nan)), 'not finite'),
        ({}, dict(K=np.eye(3)), 'K is'),
        ({}, dict(tails=0), 'tails must be'),
        ({}, dict(people=[], R=[], t=[]), 'nobody'),
    ],
)
def test_what_cannot_be_fused_is_told_in_a_line(rng, changes, options, words):
    arguments = dict(
        people=[person(rng, **changes), person(rng)],
        R=np.stack([np.eye(3)] * 2),
        t=np.zeros((2, 3)),
    )
    with pytest.raises(ValueError, match=words) as error:
        fuse_views(**(arguments | options))
    assert '\n' not in str(error.value)


def test_what_no_view_knows_is_told(rng):
    blind = np.full((14, 3), 0.1)
    blind[3] = np.inf
    people = [person(rng, keypoints3d_sigma=blind) for _ in range(2)]
    with pytest.raises(ValueError, match='1 joints have an infinite sigma'):
        fuse_views(people, np.stack([np.eye(3)] * 2), np.zeros((2, 3)))

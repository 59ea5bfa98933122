"""People are moved onto keypoints, as far as their sigma lets them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal, multivariate_t

from mmd2a.apis import PersonMesh, refine
from mmd2a.apis.refinement_objective import RefinedState, RefinementObjective
from mmd2a.body_models import BodyFitter, joint_names
from mmd2a.geometry import project_points
from mmd2a.models.heads import RLEFlowHead

NAMES = joint_names('h36m14')
HIPS = [NAMES.index('left_hip'), NAMES.index('right_hip')]
K = np.array([[300.0, 0, 95.5], [0, 300, 95.5], [0, 0, 1]])


@pytest.fixture(scope='module')
def fitter(body):
    return BodyFitter(body)


def predicted(body, pose, place) -> PersonMesh:
    """A body of a pose (72,) before a camera."""
    pose = torch.as_tensor(pose, dtype=torch.float32)[None]
    mesh = body(pose[:, :3], pose[:, 3:], torch.zeros(1, 10)).vertices
    joints = body.regress_joints(mesh, 'h36m14')
    root = joints[:, HIPS].mean(1, keepdim=True)
    joints = (joints - root)[0].numpy()
    seen = project_points(torch.tensor(joints + place), torch.tensor(K))
    return PersonMesh(
        vertices=(mesh - root)[0].numpy(),
        keypoints3d=joints,
        keypoints2d=seen.numpy().astype(np.float32),
        joint_names=NAMES,
        transl=np.asarray(place, np.float32),
        camera=np.array([1.0, 0, 0], np.float32),
        K=K,
        camera_source='given',
        bbox=np.array([0.0, 0, 192, 192]),
        score=1.0,
        crop_matrix=np.eye(3)[:2],
        crop_size=(192, 192),
        image_size=(192, 192),
        sigma=np.full(body.num_vertices, 0.1, np.float32),
        keypoints3d_sigma=np.full((14, 3), 0.1, np.float32),
    )


@pytest.fixture(scope='module')
def poses():
    """Two true poses, upright before the camera, and wrong ones."""
    rng = np.random.default_rng(0)
    true = 0.2 * rng.normal(size=(2, 72))
    true[:, :3] = [3.0, 0.1, 0]
    return true, true + 0.15 * rng.normal(size=(2, 72))


@pytest.fixture(scope='module')
def labels(body, poses):
    return [predicted(body, pose, (0.0, 0, 4)) for pose in poses[0]]


@pytest.fixture(scope='module')
def people(body, poses):
    return [predicted(body, pose, (0.1, 0, 4.2)) for pose in poses[1]]


@pytest.fixture(scope='module')
def keypoints(labels):
    return np.stack([person.keypoints2d for person in labels])


@pytest.fixture(scope='module')
def done(people, keypoints, fitter):
    return refine(people, keypoints, body_fitter=fitter)


def moved(done, people):
    return [
        np.linalg.norm(new.keypoints3d - old.keypoints3d, axis=1)
        for new, old in zip(done.people, people)
    ]


def test_people_come_nearer_to_their_labels(done, labels, people):
    assert (done.error2d[:, 1] < 0.5 * done.error2d[:, 0]).all()
    for new, old, true in zip(done.people, people, labels):
        errors = [
            np.linalg.norm(p.keypoints3d - true.keypoints3d, axis=1).mean()
            for p in (new, old)
        ]
        assert errors[0] < errors[1]
        off = [np.linalg.norm(p.transl - true.transl) for p in (new, old)]
        assert off[0] < off[1]


def test_errors_are_told_in_pixels(done, people, keypoints):
    for column, those in ((0, people), (1, done.people)):
        off = np.stack([p.keypoints2d for p in those]) - keypoints
        np.testing.assert_allclose(
            done.error2d[:, column],
            np.linalg.norm(off, axis=-1).mean(1),
            atol=1e-3,
        )


def test_fields_of_a_refined_person_fit_each_other(done, body):
    for person in done.people:
        posed = body(
            *(
                torch.from_numpy(getattr(person, name))[None]
                for name in (
                    'global_orient',
                    'body_pose',
                    'betas',
                    'smpl_transl',
                )
            )
        ).vertices
        mesh = torch.from_numpy(person.vertices + person.transl)[None]
        torch.testing.assert_close(posed, mesh, atol=1e-5, rtol=0)
        joints = body.regress_joints(mesh, 'h36m14')[0]
        np.testing.assert_allclose(
            joints, person.keypoints3d + person.transl, atol=1e-5
        )
        # The weak camera shows the root where the picture does.
        scale, x, y = person.camera
        pixel = (np.array([x, y]) * scale + 1) * 96 - 0.5
        root = K @ person.transl / person.transl[2]
        np.testing.assert_allclose(pixel, root[:2], atol=1e-3)


@pytest.mark.parametrize('seed', range(3))
def test_the_objective_never_rises(people, fitter, seed):
    """Whatever the keypoints say; who was not bettered is as given."""
    rng = np.random.default_rng(seed)
    wrong = rng.uniform(-500, 700, (2, 14, 2))
    done = refine(people, wrong, body_fitter=fitter, num_steps=3 * seed)
    assert (done.objective[:, 1] <= done.objective[:, 0]).all()
    for new, old, (before, after) in zip(done.people, people, done.objective):
        assert (new is old) == (after == before)


def test_keypoints_where_the_person_is_seen_change_little(people, fitter):
    seen = np.stack([person.keypoints2d for person in people])
    for each in moved(refine(people, seen, body_fitter=fitter), people):
        assert each.mean() < 0.02


def test_a_person_does_not_depend_on_the_others(
    done, people, keypoints, fitter
):
    alone = refine(people[1:], keypoints[1:], body_fitter=fitter)
    np.testing.assert_allclose(
        alone.people[0].vertices, done.people[1].vertices, atol=1e-3
    )


def test_what_was_not_found_has_no_say(people, keypoints, fitter):
    scores = np.ones((2, 14))
    scores[:, 6] = 0
    results = []
    for value in (np.nan, 1e6):
        told = keypoints.copy()
        told[:, 6] = value
        results.append(refine(people, told, scores, body_fitter=fitter))
    for one, other in zip(*(result.people for result in results)):
        np.testing.assert_array_equal(one.vertices, other.vertices)


def test_nothing_found_leaves_the_person(people, keypoints, fitter):
    done = refine(people, keypoints, np.zeros((2, 14)), body_fitter=fitter)
    assert np.isnan(done.error2d).all()
    for each in moved(done, people):
        assert each.mean() < 0.02


def test_the_certain_stay_and_the_doubtful_move(people, keypoints, fitter):
    sure = [
        replace(
            person,
            sigma=person.sigma / 20,
            keypoints3d_sigma=person.keypoints3d_sigma / 20,
        )
        for person in people
    ]
    steps = [
        np.mean(moved(refine(those, keypoints, body_fitter=fitter), those))
        for those in (sure, people)
    ]
    assert steps[0] < 0.5 * steps[1]


def test_keypoints_of_another_set(labels, people, body, fitter):
    meshes = torch.from_numpy(
        np.stack([p.vertices + p.transl for p in labels])
    )
    joints = body.regress_joints(meshes, 'coco17')
    seen = project_points(joints, torch.tensor(K).float()).numpy()
    done = refine(people, seen, joint_set='coco17', body_fitter=fitter)
    assert (done.error2d[:, 1] < 0.5 * done.error2d[:, 0]).all()


def test_the_energy_is_the_posterior(people, keypoints, fitter):
    """Against densities of scipy, up to the constants of keypoints."""
    objective = RefinementObjective(fitter, 'h36m14', 'h36m14', HIPS)
    known = objective.evidence(
        people[:1], keypoints[:1], np.ones((1, 14)), np.full(1, 3.0)
    )
    rng = np.random.default_rng(0)
    points = known.mean + 0.05 * torch.randn(
        known.mean.shape, generator=torch.Generator().manual_seed(0)
    )
    joints = people[0].keypoints3d + people[0].transl + rng.normal(0, 0.1, 3)
    joints = torch.tensor(joints[None], dtype=torch.float32)
    root, betas = known.root + torch.tensor([[0.0, 0.1, 0]]), torch.ones(1, 10)
    energy = objective.energy(known, joints, points, root, betas)

    off = project_points(joints, known.K) - known.keypoints2d
    slips = multivariate_t(np.zeros(2), 9 * np.eye(2), df=4)
    zero = slips.logpdf(np.zeros(2))
    expected = -(slips.logpdf(off[0].numpy()) - zero).sum()
    density = multivariate_normal(np.zeros(3), 0.01 * np.eye(3))
    away = (points - known.mean)[0].numpy()
    expected -= 24 * density.logpdf(away).mean()
    expected += 10 / 2  # betas
    ray = known.root[0].numpy() / np.linalg.norm(known.root[0])
    spread = 0.01 * (np.eye(3) - np.outer(ray, ray))
    length = float(known.root.norm())
    spread += (0.15 * length) ** 2 * np.outer(ray, ray)
    step = np.array([0, 0.1, 0])
    expected += step @ np.linalg.solve(spread, step) / 2
    assert energy.item() == pytest.approx(expected, abs=1e-2)


@pytest.fixture
def flow_head():
    torch.manual_seed(0)
    return RLEFlowHead(8, 14, flow=dict(type='mmd2a.RealNVP', base='laplace'))


def test_a_flow_is_the_density_where_there_is_one(
    people, keypoints, fitter, flow_head
):
    objective = RefinementObjective(
        fitter, 'h36m14', 'h36m14', HIPS, flow_head.eval()
    )
    known = objective.evidence(
        people, keypoints, np.ones((2, 14)), np.full(2, 3.0)
    )
    points = known.mean + 0.03
    expected = flow_head.loss(known.mean, known.sigma, points)
    surprise = objective.surprise(known, points).mean()
    torch.testing.assert_close(surprise, expected)
    done = refine(people, keypoints, flow_head=flow_head, body_fitter=fitter)
    assert (done.error2d[:, 1] < 0.6 * done.error2d[:, 0]).all()
    # It is asked, and does not learn.
    assert all(p.grad is None for p in flow_head.parameters())


def test_slopes_are_finite_at_the_start(people, keypoints, fitter):
    objective = RefinementObjective(fitter, 'h36m14', 'h36m14', HIPS)
    seen = np.stack([person.keypoints2d for person in people])
    known = objective.evidence(people, seen, np.ones((2, 14)), np.ones(2))
    state = RefinedState(
        torch.zeros(2, 24, 3), torch.zeros(2, 10), torch.zeros(2, 3)
    )
    state = RefinedState(*(x.requires_grad_() for x in state))
    start = torch.eye(3).expand(2, 24, 3, 3)
    # At the camera, where nothing can be projected.
    objective(known, state, start).sum().backward()
    assert all(x.grad.isfinite().all() for x in state)


def test_it_runs_where_gradients_are_off(people, keypoints, fitter, done):
    with torch.inference_mode():
        again = refine(people, keypoints, body_fitter=fitter)
    np.testing.assert_allclose(again.objective, done.objective, rtol=1e-4)


def test_nobody_is_refined_to_nobody(fitter):
    done = refine([], np.zeros((0, 14, 2)), body_fitter=fitter)
    assert done.people == [] and done.error2d.shape == (0, 2)


@pytest.mark.parametrize(
    ('changes', 'options', 'words'),
    [
        (dict(sigma=None), {}, 'has no sigma'),
        (dict(K=np.full((3, 3), np.nan)), {}, 'seen_from'),
        (dict(vertices=np.zeros((9, 3))), {}, '9 vertices'),
        (dict(joint_names=('nose',) * 14), {}, 'no one joint set'),
        ({}, dict(keypoints2d=np.zeros((2, 13, 2))), 'give'),
        ({}, dict(keypoints2d=np.full((2, 14, 2), np.nan)), 'score of 0'),
        ({}, dict(scores=np.full((2, 14), 2.0)), 'from 0 to 1'),
        ({}, dict(scores=np.full((2, 14), np.nan)), 'from 0 to 1'),
        ({}, dict(joint_set='openpose'), 'bring the keypoints'),
        ({}, dict(root=('tail',)), "'tail'"),
        ({}, dict(keypoint_sigma=0), 'keypoint_sigma'),
    ],
)
def test_what_cannot_be_refined_is_told_in_a_line(
    people, keypoints, fitter, changes, options, words
):
    arguments = dict(
        people=[replace(people[0], **changes), people[1]],
        keypoints2d=keypoints,
        body_fitter=fitter,
    )
    with pytest.raises(ValueError, match=words) as error:
        refine(**(arguments | options))
    assert '\n' not in str(error.value)


def test_a_flow_that_is_no_density_of_meshes_is_refused(
    people, keypoints, fitter
):
    flat = RLEFlowHead(8, 14, dims=2)
    with pytest.raises(ValueError, match='leave it out'):
        refine(people, keypoints, flow_head=flat, body_fitter=fitter)

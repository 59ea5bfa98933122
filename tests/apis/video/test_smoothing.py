"""Meshes over time: what moves stays, what trembles does not."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from mmd2a.apis.cameras import project_to_image
from mmd2a.apis.video.one_euro import OneEuro
from mmd2a.apis.video.smoothing import OnlineSmoother, Smoothing, smooth_people
from mmd2a.apis.video.streams import identify, smooth_stream
from mmd2a.apis.video.tracking import Tracker

FPS = 30


def smooth(people, settings=Smoothing()):
    return smooth_people(people, np.arange(len(people)) / FPS, settings)


def field(people, name):
    return np.stack([getattr(person, name) for person in people])


def trembling(person, number, seed=1, **sizes):
    rng = np.random.default_rng(seed)
    return [
        person(
            track_id=0,
            **{
                name: getattr(person(), name)
                + size * rng.normal(size=np.shape(getattr(person(), name)))
                for name, size in sizes.items()
            },
        )
        for _ in range(number)
    ]


def jitter(points):
    return np.linalg.norm(np.diff(points, 3, axis=0), axis=-1).mean()


def test_somebody_who_stands_still_stops_trembling(person):
    people = trembling(person, 60, vertices=0.01, keypoints3d=0.01)
    result = smooth(people)
    for name in ('vertices', 'keypoints3d'):
        before, after = field(people, name), field(result, name)
        assert jitter(after) < 0.1 * jitter(before)
        truth = getattr(person(), name)
        assert (
            np.abs(after - truth).mean() < 0.5 * np.abs(before - truth).mean()
        )


def test_a_body_that_turns_does_not_shrink(person):
    turns = Rotation.from_rotvec(
        np.linspace(0, 2 * np.pi, 60)[:, None] * [0, 1, 0]
    )
    people = [
        person(
            vertices=turn.apply(person().vertices),
            keypoints3d=turn.apply(person().keypoints3d),
        )
        for turn in turns
    ]
    slow = OneEuro(min_cutoff=0.5)
    result = smooth(people, Smoothing(points=slow, rotations=slow))
    sizes = pdist(person().vertices)
    for each in result:
        assert pdist(each.vertices) == pytest.approx(sizes, rel=1e-4)
        # Joints keep their places on the body.
        both = np.concatenate([each.vertices, each.keypoints3d])
        truth = np.concatenate([person().vertices, person().keypoints3d])
        assert pdist(both) == pytest.approx(pdist(truth), rel=1e-4)


def test_a_doubtful_frame_leans_on_its_neighbours(person):
    people = trembling(person, 40)
    wrong = people[20].vertices.copy()
    wrong[7] += [0.3, 0, 0]
    off = {}
    for doubt in (0.05, 1.0):
        sigma = np.full(40, 0.05, np.float32)
        sigma[7] = doubt
        people[20] = person(track_id=0, vertices=wrong, sigma=sigma)
        result = smooth(people)[20].vertices[7] - person().vertices[7]
        off[doubt] = np.linalg.norm(result)
    assert off[1.0] < 0.02 < off[0.05]


def test_distance_is_smoothed_without_moving_anybody_in_the_picture(person):
    rng = np.random.default_rng(0)
    scale = 1 + 0.05 * rng.normal(size=60)
    people = [
        person(transl=(person().transl * each).astype(np.float32))
        for each in scale
    ]
    result = smooth(people)
    raw, after = (field(each, 'transl')[:, 2] for each in (people, result))
    assert after.std() < 0.4 * raw.std()
    root = field(result, 'transl') / field(result, 'transl')[:, 2:]
    assert np.ptp(root, axis=0).max() < 1e-5
    seen = project_to_image(
        field(result, 'keypoints3d'),
        field(result, 'transl'),
        field(result, 'K'),
    )
    assert field(result, 'keypoints2d') == pytest.approx(seen, abs=1e-3)


def test_parameters_of_the_body_are_smoothed_as_rotations(person):
    rng = np.random.default_rng(0)
    angle = np.pi + 0.02 * rng.normal(size=60)  # upright before the camera
    people = [
        person(
            global_orient=Rotation.from_rotvec([each, 0, 0]).as_rotvec(),
            body_pose=np.tile([0.1, each / 4, 0], 23),
            betas=rng.normal(size=10),
            smpl_transl=person().transl + [0, 0.2, 0],
            fit_residual=0.01,
        )
        for each in angle
    ]
    result = smooth(people)
    raw, after = (
        Rotation.from_rotvec(field(each, 'global_orient')).magnitude()
        for each in (people, result)
    )
    turn = Rotation.from_rotvec(field(result, 'global_orient'))
    step = (turn[1:] * turn[:-1].inv()).magnitude()
    assert step.mean() < 0.2 * np.abs(np.diff(angle)).mean()
    assert raw.min() > 3.0 and after.min() > 3.0
    assert result[0].body_pose.shape == (69,)
    assert field(result, 'betas').std(0).max() < 0.5
    between = field(result, 'smpl_transl') - field(result, 'transl')
    assert between == pytest.approx(
        np.broadcast_to([0, 0.2, 0], between.shape), abs=1e-5
    )


def test_what_was_seen_of_a_frame_stays(person):
    [one, _] = smooth([person(), person(score=0.5)])
    for name in ('bbox', 'camera', 'sigma', 'K', 'crop_matrix'):
        assert np.array_equal(getattr(one, name), getattr(person(), name))
    assert one.vertices.dtype == np.float32 and one.score == 1
    assert smooth([]) == []


def test_models_without_sigma_are_smoothed_too(person):
    people = trembling(person, 30, vertices=0.01)
    without = [
        replace(each, sigma=None, keypoints3d_sigma=None) for each in people
    ]
    # Of equal doubts it is the same.
    for a, b in zip(smooth(people), smooth(without)):
        assert a.vertices == pytest.approx(b.vertices, abs=1e-6)


def test_online_nothing_is_known_of_what_comes(person):
    people = trembling(person, 20, vertices=0.01)
    first, second = OnlineSmoother(), OnlineSmoother()
    whole = [first(each, 1 / FPS) for each in people]
    part = [second(each, 1 / FPS) for each in people[:8]]
    for a, b in zip(whole, part):
        assert np.array_equal(a.vertices, b.vertices)
    assert jitter(field(whole, 'vertices')) < 0.5 * jitter(
        field(people, 'vertices')
    )


def test_a_long_video_in_pieces_is_the_video_as_a_whole(person):
    people = trembling(person, 200, vertices=0.02, transl=0.05)
    settings = Smoothing(lookahead=1.0)
    whole = smooth(people, settings)
    taken, most = 0, 0

    def frames():
        nonlocal taken
        for each in people:
            taken += 1
            yield [each]

    result = []
    for [each] in smooth_stream(frames(), FPS, settings):
        result.append(each)
        most = max(most, taken - len(result))
    assert len(result) == 200 and most < 3 * FPS
    for name, trembles in (('vertices', 0.02), ('transl', 0.05)):
        off = field(result, name) - field(whole, name)
        assert np.abs(off).max() < 0.05 * trembles


@pytest.mark.parametrize('lookahead', [0.0, 0.3])
def test_people_are_smoothed_each_for_themselves(person, lookahead):
    left = trembling(person, 30, vertices=0.01)
    right = [
        replace(each, bbox=each.bbox + [100, 0, 100, 0], transl=-each.transl)
        for each in trembling(person, 30, seed=2, vertices=0.01)
    ]
    right = [replace(p, transl=np.abs(p.transl) + 1) for p in right]
    # Where they stand in the list changes; one is away for some frames.
    frames = [
        [b, a] if number % 2 else [a, b]
        for number, (a, b) in enumerate(zip(left, right))
    ]
    frames[10] = [right[10]]
    settings = Smoothing(lookahead=lookahead)
    stream = identify(frames, FPS, Tracker())
    result = list(smooth_stream(stream, FPS, settings))
    assert list(map(len, result)) == list(map(len, frames))
    for number, people in enumerate(result):
        for given, person_ in zip(frames[number], people):
            assert np.array_equal(given.bbox, person_.bbox)
            assert np.abs(person_.transl - given.transl).max() < 0.01
    assert {p.track_id for people in result for p in people} == {0, 1}


def test_mistakes():
    with pytest.raises(ValueError, match='not negative'):
        Smoothing(lookahead=-1)

"""One person over time."""

import numpy as np
import pytest

from mmd2a.people.sequence import render_sequence


@pytest.fixture(scope='module')
def frames():
    return list(
        render_sequence(3, 'punch', 4, fps=10, period=0.6, image_size=64)
    )


def test_only_what_moves_changes(frames):
    first, *others = (frame.labels for frame in frames)
    for labels in others:
        for same in ('betas', 'K'):
            assert np.array_equal(labels[same], first[same])
        # The camera stands still; so does the heading.
        assert not np.array_equal(labels['body_pose'], first['body_pose'])
    scene = np.stack([frame.depth for frame in frames])
    away = (np.stack([frame.mask for frame in frames]) == 0).all(0)
    assert away.mean() > 0.2 and np.ptp(scene[:, away], axis=0).max() <= 1
    assert (frames[0].image != frames[1].image)[away].any()  # its noise


def test_a_motion_runs_forth_and_back(frames):
    # Six frames are a period: the fifth is the third on its way back.
    again = list(
        render_sequence(3, 'punch', 6, fps=10, period=0.6, image_size=64)
    )
    for ours, theirs in zip(frames, again):
        assert np.array_equal(ours.image, theirs.image)
    there, back = again[2].labels, again[4].labels
    assert np.allclose(there['body_pose'], back['body_pose'], atol=1e-5)


def test_an_unknown_motion_is_named():
    with pytest.raises(ValueError, match='one of stand, walk'):
        next(render_sequence(0, 'fly', 1))

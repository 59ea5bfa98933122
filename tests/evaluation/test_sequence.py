"""Errors of motions, against their formulas written out."""

import numpy as np
import pytest
import torch

from mmd2a.evaluation import acceleration_error, foot_slide, jitter


@pytest.fixture
def motions():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 12, 5, 3, generator=generator).double()


def test_acceleration_error_is_that_of_human_dynamics(motions):
    pred, target = motions.numpy()
    # As printed: accel = x[:-2] - 2 x[1:-1] + x[2:].
    accel = [x[:-2] - 2 * x[1:-1] + x[2:] for x in (pred, target)]
    expected = np.linalg.norm(accel[0] - accel[1], axis=2).mean(1) * 1e3
    error = acceleration_error(*motions)
    assert error.numpy() == pytest.approx(expected)
    per_second = acceleration_error(*motions, fps=25)
    assert per_second.numpy() == pytest.approx(expected * 625)


def test_jitter_is_that_of_wham(motions):
    x = motions[0].numpy()
    third = x[3:] - 3 * x[2:-1] + 3 * x[1:-2] - x[:-3]
    expected = np.linalg.norm(third * 30**3, axis=2).mean(1) / 10
    assert jitter(motions[0], 30).numpy() == pytest.approx(expected)


def test_what_moves_evenly_neither_trembles_nor_errs(motions):
    time = torch.arange(12.0).double()[:, None, None] / 30
    even = motions[0, :1] + time * motions[1, :1]
    assert jitter(even, 30).max() < 1e-8
    assert acceleration_error(
        even, motions[0, :1].expand(12, -1, -1)
    ).max() < (1e-9)


def test_the_unit_does_not_depend_on_the_frame_rate():
    def swing(fps):
        time = torch.arange(2 * fps).double()[:, None, None] / fps
        return torch.cat([(3 * time).sin(), (3 * time).cos(), 0 * time], -1)

    slow, fast = swing(50), swing(200)
    assert jitter(slow, 50).mean() == pytest.approx(2.7, rel=0.01)
    assert jitter(fast, 200).mean() == pytest.approx(2.7, rel=0.01)
    still = torch.zeros(400, 1, 3)
    error = acceleration_error(fast, still, fps=200)
    assert error.mean() == pytest.approx(9000, rel=0.01)


def test_feet_slide_only_where_they_stand():
    target = torch.zeros(5, 1, 3)
    target[3:, 0, 0] = 0.5  # a step
    pred = target + torch.arange(5.0)[:, None, None] * torch.tensor(
        [0, 0, 0.02]
    )
    assert foot_slide(pred, target, 30).tolist() == pytest.approx([20] * 3)
    assert len(foot_slide(pred, target, 30, max_speed=30)) == 4


def test_frames_that_do_not_count_leave_no_trace(motions):
    valid = torch.ones(12, dtype=torch.bool)
    valid[6] = False
    whole = [
        acceleration_error(*motions),
        jitter(motions[0], 30),
        foot_slide(*motions, 30, max_speed=1e9),
    ]
    motions[:, 6] = float('nan')
    rows = [[*range(4), *range(7, 10)], [*range(3), *range(7, 9)]]
    rows.append([i for i in range(55) if i // 5 not in (5, 6)])
    for was, row, now in zip(
        whole,
        rows,
        [
            acceleration_error(*motions, valid=valid),
            jitter(motions[0], 30, valid),
            foot_slide(*motions, 30, max_speed=1e9, valid=valid),
        ],
    ):
        assert torch.equal(now, was[row])


def test_too_few_frames_have_no_error():
    for frames in range(3):
        few = torch.zeros(frames, 4, 3)
        assert not len(acceleration_error(few, few))
        assert not len(jitter(few, 30))


def test_mistakes_are_named(motions):
    with pytest.raises(ValueError, match=r'\(T, P, 3\)'):
        jitter(motions, 30)
    with pytest.raises(ValueError, match='of one shape'):
        acceleration_error(motions[0], motions[1, :, :2])
    with pytest.raises(ValueError, match='more than 0'):
        jitter(motions[0], 0)
    with pytest.raises(ValueError, match='one value per frame'):
        jitter(motions[0], 30, torch.ones(3))

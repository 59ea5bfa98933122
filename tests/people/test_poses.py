"""Poses are anatomical, varied, and different in every split."""

import numpy as np
import pytest

from mmd2a.people.angles import (
    ANGLE_INDEX,
    ANGLES,
    LOWER,
    UPPER,
    angle_vector,
    angles_to_rotations,
    mirror_angles,
)
from mmd2a.people.collisions import joint_positions, penetration, rest_joints
from mmd2a.people.motions import ACROBATICS, EVERYDAY, pose_at
from mmd2a.people.poses import _SMPL_FLIP, SPLITS, sample_limits, sample_pose


def draw(split, number=40, seed=0):
    return [
        sample_pose(
            np.random.default_rng([seed, SPLITS[split], i]), split, seed
        )
        for i in range(number)
    ]


def joints_of(**angles):
    return joint_positions(angles_to_rotations(angle_vector(**angles)))


def test_zero_angles_stand_straight_with_hanging_arms():
    joints, rest = joints_of(), rest_joints()
    np.testing.assert_allclose(
        joints[[1, 4, 7, 12, 15]], rest[[1, 4, 7, 12, 15]], atol=1e-9
    )
    upper_arm = joints[18] - joints[16]
    assert upper_arm[1] < -0.99 * np.linalg.norm(upper_arm)


@pytest.mark.parametrize(
    'angles, joint, axis, sign',
    [
        (dict(hip_flexion=40), 4, 2, 1),
        (dict(knee=40), 7, 2, -1),
        (dict(hip_abduction=30), 4, 0, 1),
        (dict(arm_flexion=60), 18, 2, 1),
        (dict(arm_abduction=60), 18, 0, 1),
        (dict(elbow=60), 20, 2, 1),
        (dict(spine_flexion=30), 15, 2, 1),
        (dict(spine_side=20), 15, 0, 1),
        (dict(pitch=30), 15, 2, 1),
        (dict(roll=30), 15, 0, 1),
        (dict(arm_abduction=90, elbow=90, arm_twist=-70), 20, 1, 1),
        (dict(ankle=20), 10, 1, 1),
    ],
)
def test_an_angle_moves_its_joint_the_way_its_name_says(
    angles, joint, axis, sign
):
    before = dict(angles)
    before[list(before)[-1]] = 0
    move = joints_of(**angles)[joint] - joints_of(**before)[joint]
    assert sign * move[axis] > 0.02


def test_mirrored_angles_give_the_mirrored_person():
    rng = np.random.default_rng(0)
    angles = sample_limits(rng)
    joints = joint_positions(angles_to_rotations(angles)) - rest_joints()[0]
    mirrored = (
        joint_positions(angles_to_rotations(mirror_angles(angles)))
        - rest_joints()[0]
    )
    # The body itself is symmetric to a few millimetres.
    np.testing.assert_allclose(
        mirrored[_SMPL_FLIP] * [-1, 1, 1], joints, atol=0.01
    )


def test_sampled_angles_stay_within_the_limits_and_fill_them():
    rng = np.random.default_rng(1)
    angles = np.stack([sample_limits(rng) for _ in range(400)])
    assert (angles >= LOWER).all() and (angles <= UPPER).all()
    elbow = angles[:, ANGLE_INDEX['left_elbow']]
    assert np.ptp(elbow) > 100
    flexion, knee = (
        angles[:, ANGLE_INDEX[n]] for n in ('left_hip_flexion', 'left_knee')
    )
    assert np.corrcoef(flexion, knee)[0, 1] > 0.3


def test_rotations_are_rotations():
    for pose in draw('train', 10) + draw('ood', 10):
        identity = pose.rotations @ pose.rotations.transpose(0, 2, 1)
        np.testing.assert_allclose(
            identity, np.tile(np.eye(3), (24, 1, 1)), atol=1e-9
        )
        np.testing.assert_allclose(np.linalg.det(pose.rotations), 1)


def test_an_arm_through_the_trunk_is_noticed():
    through = angle_vector(arm_abduction=-30, arm_flexion=-10)
    assert penetration(angles_to_rotations(through)) > 0.03
    assert (
        penetration(
            angles_to_rotations(
                angle_vector(arm_abduction=40, elbow=20, hip_abduction=8)
            )
        )
        == 0
    )


def test_people_rarely_pass_through_themselves():
    overlaps = [penetration(p.rotations) for p in draw('train', 80)]
    assert np.mean(np.array(overlaps) > 0.05) < 0.1


def test_standing_people_stand_over_their_feet():
    for pose in draw('train', 60):
        if pose.motion in ('stand', 'sampled', 'walk'):
            joints = joint_positions(pose.rotations)
            feet = joints[[7, 8, 10, 11]]
            low, high = feet.min(0) - 0.15, feet.max(0) + 0.15
            centre = joints[[0, 3, 6, 9]].mean(0)
            assert (low[[0, 2]] < centre[[0, 2]] + 0.1).all()
            assert (high[[0, 2]] > centre[[0, 2]] - 0.1).all()


def test_motions_are_smooth_and_named_once():
    motions = EVERYDAY + ACROBATICS
    assert len({m.name for m in motions}) == len(motions)
    for motion in motions:
        poses = np.stack([pose_at(motion, t) for t in np.linspace(0, 1, 101)])
        assert poses.shape == (101, len(ANGLES))
        assert np.abs(np.diff(poses, axis=0)).max() < 15
        if motion.cyclic:
            np.testing.assert_allclose(poses[0], poses[-1], atol=1e-6)


def test_the_same_seed_gives_the_same_pose():
    for a, b in zip(draw('val', 5), draw('val', 5)):
        np.testing.assert_array_equal(a.rotations, b.rotations)


def test_splits_hold_different_poses():
    train, val = draw('train', 20), draw('val', 20)
    assert not any(
        np.array_equal(a.rotations, b.rotations) for a, b in zip(train, val)
    )


def test_acrobatics_are_held_out():
    everyday = {p.motion for s in ('train', 'val', 'test') for p in draw(s)}
    held_out = draw('ood')
    assert not everyday & {p.motion for p in held_out}

    def upright(poses):
        return np.mean([p.rotations[0][1, 1] > 0.3 for p in poses])

    assert upright(held_out) < 0.75 < upright(draw('train'))

"""Mirror images of poses."""

import pytest
import torch

from mmd2a.body_models import (
    JOINT_SETS,
    SMPL_FLIP_PERMUTATION,
    SMPL_PARENTS,
    flip_pairs,
    joint_names,
    mirror_pose,
)
from mmd2a.geometry import axis_angle_to_matrix


def test_mirroring_twice_changes_nothing():
    pose = torch.randn(5, 2, 24, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(mirror_pose(mirror_pose(pose)), pose)


def test_rotations_are_reflected():
    pose = torch.randn(24, 3, generator=torch.Generator().manual_seed(0))
    flip = torch.diag(torch.tensor([-1.0, 1.0, 1.0]))
    expected = flip @ axis_angle_to_matrix(pose) @ flip
    mirrored = axis_angle_to_matrix(mirror_pose(pose))
    torch.testing.assert_close(mirrored, expected[list(SMPL_FLIP_PERMUTATION)])


def test_the_tree_is_its_own_mirror_image():
    order = SMPL_FLIP_PERMUTATION
    for joint, parent in enumerate(SMPL_PARENTS[1:], start=1):
        assert SMPL_PARENTS[order[joint]] == order[parent]


@pytest.mark.parametrize('joint_set', JOINT_SETS)
def test_pairs_swap_left_and_right(joint_set):
    names = joint_names(joint_set)
    pairs = flip_pairs(joint_set)
    for left, right in pairs:
        assert names[left].replace('left', 'right') == names[right]
    sided = [n for n in names if n.startswith(('left_', 'right_'))]
    assert 2 * len(pairs) == len(sided)


def test_flat_poses_are_refused():
    with pytest.raises(ValueError, match=r'\(\.\.\., 24, 3\)'):
        mirror_pose(torch.zeros(2, 72))


def test_a_body_without_whole_hands_is_mirrored_as_the_rest_of_smpl():
    pose = torch.randn(2, 24, 3, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(
        mirror_pose(pose[:, :22]), mirror_pose(pose)[:, :22]
    )
    with pytest.raises(ValueError, match=r'\(\.\.\., 24, 3\) or'):
        mirror_pose(pose[:, :23])

"""The origin of a pose, for any batch."""

import torch

from mmd2a.geometry import root_is_known, root_position


def test_root_is_the_mean_of_its_joints_for_any_batch_prefix():
    joints = torch.randn(2, 3, 5, 3)
    root = root_position(joints, (1, 4))
    assert root.shape == (2, 3, 1, 3)
    torch.testing.assert_close(root[1, 2, 0], joints[1, 2, [1, 4]].mean(0))
    centred = joints - root
    assert centred[..., [1, 4], :].mean(-2).abs().max() < 1e-6


def test_a_root_is_known_when_all_its_joints_are():
    weight = torch.tensor([[0.5, 0.1, 0], [1, 0, 1], [0, 1, 1]])
    assert root_is_known(weight, [0, 1]).tolist() == [True, False, False]
    assert root_is_known(weight[0], (0, 1))

"""The light stem for depth maps."""

import math

import pytest
import torch

from mmd2a.models.encoders import DepthBranch


@pytest.mark.parametrize('size', [(96, 96), (97, 130), (100, 61)])
def test_sizes_round_up_as_in_a_backbone(size):
    branch = DepthBranch(channels=(4, 8, 8))
    out = branch(torch.randn(1, 2, *size))
    h, w = (math.ceil(s / branch.stride) for s in size)
    assert out.shape == (1, branch.out_channels, h, w)


@pytest.mark.parametrize(
    'channels, stride',
    [((8,), 4), ((8, 16), 8), ((8, 16, 32), 16), ((4, 8, 16, 32), 32)],
)
def test_channels_set_stride_and_width(channels, stride):
    branch = DepthBranch(channels=channels)
    assert (branch.stride, branch.out_channels) == (stride, channels[-1])
    assert branch(torch.zeros(1, 2, 64, 64)).shape[-1] == 64 // stride


def test_a_sample_does_not_depend_on_its_batch():
    branch = DepthBranch(channels=(4, 8, 8))
    x = torch.randn(3, 2, 32, 32)
    together = branch(x)
    x[1:] = 0
    torch.testing.assert_close(branch(x)[0], together[0])


def test_every_parameter_and_pixel_matters():
    branch = DepthBranch(channels=(4, 8, 8))
    branch.init_weights()
    x = torch.randn(2, 2, 30, 33, requires_grad=True)
    branch(x).square().sum().backward()
    assert all(p.grad.any() for p in branch.parameters())
    assert (x.grad != 0).any(dim=1).float().mean() > 0.99


def test_a_person_without_depth_sends_finite_zero_gradients():
    branch = DepthBranch(channels=(4, 8, 8))
    x = torch.zeros(1, 2, 32, 32)
    (branch(x) * 0).sum().backward()
    assert all(
        torch.equal(p.grad, torch.zeros_like(p)) for p in branch.parameters()
    )


def test_is_light():
    branch = DepthBranch()
    parameters = sum(p.numel() for p in branch.parameters())
    assert parameters < 0.1e6  # mmpose's HRNet-W32 has 28 million

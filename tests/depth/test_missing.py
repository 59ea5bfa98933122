"""Missing depth, made harmless before a network reads it."""

import math

import pytest
import torch

from mmd2a.depth import normalize_depth, zero_missing_depth


def test_what_the_preprocessor_gives_stays_as_it_is():
    raw = 1 + torch.rand(3, 1, 16, 16)
    raw[0, :, :4] = math.nan
    raw[1] = math.nan
    depth = normalize_depth(raw)
    has_depth = depth[:, 1].flatten(1).amax(1)
    assert torch.equal(zero_missing_depth(depth, has_depth), depth)


@pytest.mark.parametrize('garbage', [math.nan, math.inf, -math.inf])
def test_garbage_becomes_no_depth_without_a_gradient(garbage):
    depth = torch.randn(2, 2, 4, 4)
    depth[0, 0, 1, 1] = garbage  # a pixel of somebody who has depth
    depth[1] = garbage  # somebody who has none
    depth.requires_grad_()
    clean = zero_missing_depth(depth, torch.tensor([1.0, 0.0]))
    assert not clean[0, :, 1, 1].any() and not clean[1].any()
    assert torch.equal(clean[0, :, 2:], depth[0, :, 2:])
    clean.square().sum().backward()
    assert depth.grad.isfinite().all()

"""Measured depth seeds density where it is, and nowhere without it."""

import math

import pytest
import torch

from mmd2a.models.fields import DepthSeed, View, VolumeRenderer


@pytest.fixture
def seed():
    torch.manual_seed(0)
    return DepthSeed(scale=0.7, shift=0.2, width=0.1).double()


@pytest.fixture
def depth():
    torch.manual_seed(1)
    depth = torch.randn(2, 2, 32, 32).double()
    depth[:, 1] = 1
    return depth


def pixel(row, column, z):
    """A point under the middle of a pixel of a crop of 32."""
    return [(2 * column + 1) / 32 - 1, (2 * row + 1) / 32 - 1, z]


def test_it_is_the_formula_at_the_middles_of_pixels(seed, depth):
    with torch.no_grad():
        maps = seed.depth_branch(depth)
        a, b = seed.place(maps.mean((2, 3))).unbind(1)
        for row, column, z in ((8, 24, 0.3), (24, 8, -0.5)):
            # The map has 2 x 2 cells, whose middles lie between pixels.
            place = pixel(row - 0.5, column - 0.5, z)
            around = depth[:, 0, row - 1 : row + 1, column - 1 : column + 1]
            surface = 0.7 * a.exp() * around.mean((1, 2)) + 0.2 + b
            strength = seed.strength(maps)[:, 0, row // 16, column // 16]
            expected = strength * (-((z - surface) ** 2) / 0.02).exp()
            point = torch.tensor([[place]] * 2).double()
            torch.testing.assert_close(seed(depth)(point)[:, 0], expected)


def test_a_rendered_surface_lies_where_depth_saw_it(seed):
    """Through the renderer, in half-widths of the crop."""
    flat = torch.ones(1, 2, 32, 32).double()
    flat[:, 0] = torch.linspace(-1, 1, 32)  # nearer at the left
    at = seed(flat)

    def field(points, directions):
        return 50 * at(points).relu(), points

    renderer = VolumeRenderer(size=8, num_samples=200).eval()
    seen = renderer(field, View(torch.zeros(1).double()))
    with torch.no_grad():
        maps = seed.depth_branch(flat)
        a, b = seed.place(maps.mean((2, 3))).unbind(1)
    x = (2 * torch.arange(8).double() + 1) / 8 - 1
    surface = 0.7 * a.exp() * x * 32 / 31 + 0.2 + b
    assert (seen.opacity > 0.99).all()
    # In front of its middle, as light is stopped by the first half of it.
    before = surface - seen.depth[0, 0]
    assert ((before > 0) & (before < 0.3)).all()


@pytest.mark.parametrize('hole', [math.nan, math.inf, 0.0])
def test_missing_depth_leaves_no_trace(hole, seed, depth):
    points = torch.rand(2, 3, 5, 3).double() * 2 - 1
    points.requires_grad_()
    has = torch.tensor([1.0, 0.0])
    alone = seed(depth[:1])(points[:1])
    broken = depth.clone()
    broken[1] = hole
    added = seed(broken, has)(points)
    torch.testing.assert_close(added[:1], alone)
    assert torch.equal(added[1], torch.zeros(3, 5).double())
    added.sum().backward()
    assert not points.grad[1].any() and points.grad[0].any()
    assert all(p.grad.isfinite().all() for p in seed.parameters())


def test_a_hole_is_missing_where_it_is(seed, depth):
    depth[:, 0, :, :16] = math.nan
    depth[:, 1, :, :16] = 0
    points = torch.tensor([[pixel(5, 5, 0.1), pixel(5, 25, 0.1)]] * 2)
    added = seed(depth)(points.double())
    assert not added[:, 0].any() and added[:, 1].all()


def test_nobody_has_depth_and_every_parameter_gets_a_gradient(seed, depth):
    points = torch.zeros(2, 4, 3).double()
    seed(depth, torch.zeros(2))(points).sum().backward()
    assert all(
        p.grad is not None and not p.grad.any() for p in seed.parameters()
    )


@pytest.mark.parametrize('wrong', [dict(scale=0.0), dict(width=-1.0)])
def test_sizes_that_are_none_are_refused(wrong):
    with pytest.raises(ValueError, match='must be above 0'):
        DepthSeed(**wrong)

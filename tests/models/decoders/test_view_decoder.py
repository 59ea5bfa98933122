"""Tokens of imagined views: the image's own at 0, periodic, per sample."""

import math

import pytest
import torch

from mmd2a.models.decoders import ViewDecoder
from mmd2a.structures import TokenMap


@pytest.fixture
def decoder():
    torch.manual_seed(0)
    return ViewDecoder(in_channels=16).double()


@pytest.fixture
def z():
    torch.manual_seed(1)
    return TokenMap(torch.randn(3, 12, 16).double(), (3, 4))


def test_the_view_of_angle_zero_is_the_image_whatever_was_learned(decoder, z):
    optimizer = torch.optim.SGD(decoder.parameters(), lr=0.1)
    yaw = torch.tensor([0.4, -2.0, 3.0]).double()
    decoder(z, yaw).tokens.square().mean().backward()
    assert all(p.grad.abs().sum() > 0 for p in decoder.parameters())
    optimizer.step()
    assert torch.equal(decoder(z, torch.zeros(3).double()).tokens, z.tokens)
    assert not torch.allclose(decoder(z, yaw).tokens, z.tokens, atol=1e-3)


def test_a_whole_turn_changes_nothing(decoder, z):
    yaw = torch.tensor([0.4, -2.0, 3.0]).double()
    torch.testing.assert_close(
        decoder(z, yaw).tokens, decoder(z, yaw + 2 * math.pi).tokens
    )


def test_each_sample_has_its_own_angle(decoder, z):
    yaw = torch.tensor([0.4, -2.0, 0.0]).double()
    together = decoder(z, yaw)
    assert together.grid == z.grid
    for i in range(3):
        one = TokenMap(z.tokens[i : i + 1], z.grid)
        torch.testing.assert_close(
            together.tokens[i : i + 1], decoder(one, yaw[i : i + 1]).tokens
        )


def test_left_and_right_are_told_apart(decoder, z):
    yaw = torch.full((3,), 0.7).double()
    left, right = decoder(z, yaw).tokens, decoder(z, -yaw).tokens
    assert (left - right).abs().max() > 0.01


def test_tokens_that_do_not_fit_their_grid_are_refused(decoder, z):
    with pytest.raises(ValueError, match='grid of 2 x 2'):
        decoder(z._replace(grid=(2, 2)), torch.zeros(3))

"""Tokens that know their grid."""

import math

import pytest
import torch

from mmd2a.structures import TokenMap, missing_as_nobodys


def test_maps_and_tokens_are_the_same_cells_in_row_order():
    maps = torch.arange(24.0).view(1, 2, 3, 4)
    tokens = TokenMap.from_map(maps, torch.ones(1))
    assert tokens.grid == (3, 4) and tokens.has.tolist() == [1]
    assert tokens.tokens[0, 5].tolist() == [maps[0, 0, 1, 1], maps[0, 1, 1, 1]]
    assert torch.equal(tokens.as_map(), maps)


def test_resampling_interpolates_and_keeps_who_has():
    tokens = TokenMap(torch.randn(2, 16, 3), (4, 4), torch.tensor([1, 0]))
    assert tokens.resampled((4, 4)) is tokens
    half = tokens.resampled((2, 2))
    mean = tokens.as_map().unflatten(3, (2, 2)).unflatten(2, (2, 2))
    torch.testing.assert_close(half.as_map(), mean.mean((3, 5)))
    assert half.has is tokens.has
    assert tokens.resampled((3, 5)).checked().tokens.shape == (2, 15, 3)


def test_what_does_not_fit_is_named():
    tokens = TokenMap(torch.zeros(2, 9, 8), (3, 3), torch.ones(2))
    assert tokens.checked() is tokens
    with pytest.raises(ValueError, match=r'z \(2, 9, 8\).*N = 8.*2 x 4'):
        tokens._replace(grid=(2, 4)).checked('z')
    with pytest.raises(ValueError, match=r'has of z.*\(2,\).*\(3,\)'):
        tokens._replace(has=torch.ones(3)).checked('z')
    with pytest.raises(TypeError, match=r'z must be a TokenMap, got Tensor'):
        TokenMap.checked(torch.zeros(2, 9, 8), 'z')


@pytest.mark.parametrize('dtype', [torch.float32, torch.bool, torch.int64])
def test_what_the_missing_hold_leaves_no_trace(dtype):
    values = torch.randn(3, 4, 2)
    values[1] = math.nan
    values.requires_grad_()
    has = torch.tensor([1, 0, 1]).to(dtype)
    image = TokenMap(torch.zeros(3, 4, 5), (2, 2))
    depth = missing_as_nobodys(TokenMap(values, (2, 2), has), image, 2)
    assert depth.has.tolist() == [True, False, True]
    assert not depth.tokens[1].any()
    depth.tokens.square().sum().backward()
    assert values.grad.isfinite().all() and not values.grad[1].any()


def test_nobodys_tokens_are_there_only_to_be_learned_from():
    image = TokenMap(torch.randn(3, 6, 5), (2, 3))
    depth = missing_as_nobodys(None, image, 4)
    assert depth.checked().tokens.shape == (3, 6, 4)
    assert not depth.tokens.any() and not depth.has.any()
    with torch.no_grad():
        assert missing_as_nobodys(None, image, 4) is None


def test_everybodys_tokens_stay_as_they_are():
    image = TokenMap(torch.randn(3, 6, 5), (2, 3))
    assert missing_as_nobodys(image, image, 5) is image

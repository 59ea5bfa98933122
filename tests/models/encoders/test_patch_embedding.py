"""Tokens from feature maps."""

import pytest
import torch

from mmd2a.models.encoders import PatchEmbedding


def test_one_map_is_embedded_cell_by_cell():
    embed = PatchEmbedding(in_channels=3, embed_dims=4).double()
    x = torch.randn(2, 3, 5, 6, dtype=torch.float64)
    tokens, grid, _ = embed(x)
    assert grid == (5, 6) and tokens.shape == (2, 30, 4)
    weight, bias = embed.proj.weight[:, :, 0, 0], embed.proj.bias
    # Row order: token i sits at row i // w, column i % w.
    expected = x[:, :, 3, 2] @ weight.T + bias
    torch.testing.assert_close(tokens[:, 3 * 6 + 2], expected)


def test_a_tensor_and_a_tuple_of_one_give_the_same_tokens():
    embed = PatchEmbedding(in_channels=3, embed_dims=4)
    x = torch.randn(1, 3, 4, 4)
    assert torch.equal(embed(x)[0], embed((x,))[0])


def test_finer_maps_are_averaged_onto_the_coarsest_grid():
    embed = PatchEmbedding(in_channels=[2, 3], embed_dims=4)
    fine, coarse = torch.randn(2, 2, 8, 12), torch.randn(2, 3, 2, 3)
    tokens, grid, _ = embed([fine, coarse])
    assert grid == (2, 3)
    averaged = fine.view(2, 2, 2, 4, 3, 4).mean(dim=(3, 5))
    flat = PatchEmbedding(in_channels=5, embed_dims=4)
    flat.load_state_dict(embed.state_dict())
    expected = flat(torch.cat([averaged, coarse], dim=1)).tokens
    torch.testing.assert_close(tokens, expected)


@pytest.mark.parametrize('size, grid', [((8, 6), (4, 3)), ((7, 5), (4, 3))])
def test_sizes_that_patches_do_not_divide_round_up(size, grid):
    embed = PatchEmbedding(in_channels=3, embed_dims=4, patch_size=2)
    tokens, out, _ = embed(torch.randn(2, 3, *size))
    assert out == grid and tokens.shape == (2, grid[0] * grid[1], 4)


def test_every_cell_of_every_map_reaches_a_token():
    embed = PatchEmbedding(in_channels=(2, 3), embed_dims=4, patch_size=2)
    maps = [
        torch.randn(1, 2, 10, 10, requires_grad=True),
        torch.randn(1, 3, 5, 5, requires_grad=True),
    ]
    embed(maps)[0].square().sum().backward()
    assert all((m.grad != 0).all() for m in maps)


@pytest.mark.parametrize('channels', [(3,), (2, 4), (2, 3, 4)])
def test_wrong_maps_are_named_in_the_error(channels):
    embed = PatchEmbedding(in_channels=(2, 3), embed_dims=4)
    with pytest.raises(ValueError, match=r'\(2, 3\) channels.*in_channels'):
        embed([torch.zeros(1, c, 4, 4) for c in channels])


@pytest.mark.parametrize('level', [2, -3])
def test_a_level_without_a_map_is_refused(level):
    with pytest.raises(ValueError, match='none of the 2 maps'):
        PatchEmbedding(in_channels=(4, 8), embed_dims=8, level=level)

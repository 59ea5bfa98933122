"""The silhouette decoder: sizes, skips, gradients."""

import pytest
import torch
from torch import Tensor

from mmd2a.models.decoders import SilhouetteDecoder
from mmd2a.models.losses import SilhouetteLoss
from mmd2a.registry import MODELS
from mmd2a.structures import TokenMap

C = 24


def inputs(
    grid: tuple[int, int], skips: dict[int, int], batch: int = 2
) -> tuple[TokenMap, list[Tensor]]:
    """Tokens, and maps of (channels: how much finer than the grid)."""
    torch.manual_seed(0)
    return (
        TokenMap(torch.randn(batch, grid[0] * grid[1], C), grid),
        [
            torch.randn(
                batch,
                channels,
                int(grid[0] * finer) or 1,
                int(grid[1] * finer) or 1,
            )
            for channels, finer in skips.items()
        ],
    )


@pytest.mark.parametrize('grid', [(7, 7), (6, 6), (8, 6), (14, 14)])
def test_mask_is_eight_times_finer_than_the_tokens(grid):
    skips = {8: 4, 16: 2, 32: 1, 64: 0.5}
    decoder = SilhouetteDecoder(C, list(skips))
    out = decoder(*inputs(grid, skips))
    assert out.shape == (2, 1, 8 * grid[0], 8 * grid[1])


def test_input_of_224_gives_a_mask_of_56():
    out = SilhouetteDecoder(C, 8)(*inputs((7, 7), {8: 1}))
    assert out.shape[-2:] == (56, 56)


@pytest.mark.parametrize('finer', [0.5, 1, 2, 3, 4, 8, 16])
def test_image_features_of_any_size_reach_the_mask(finer):
    decoder = SilhouetteDecoder(C, 8)
    z, features = inputs((6, 6), {8: finer})
    features[0].requires_grad_()
    # A single map needs no list.
    out = decoder(z, features[0])
    out.square().sum().backward()
    assert (features[0].grad != 0).any()


def test_every_parameter_learns():
    skips = {8: 4, 16: 2, 32: 1}
    decoder = SilhouetteDecoder(C, list(skips))
    decoder(*inputs((6, 6), skips)).square().sum().backward()
    for name, parameter in decoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


def test_learns_one_mask_in_a_few_steps():
    decoder = SilhouetteDecoder(C, 8)
    args = inputs((6, 6), {8: 4}, batch=1)
    mask = torch.zeros(1, 1, 96, 96)
    mask[..., 20:80, 30:60] = 1
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.02)
    for _ in range(60):
        loss = SilhouetteLoss()(decoder(*args), mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.3


def test_tokens_alone_give_a_mask_and_train_every_parameter():
    """A view that no image shows has no image features."""
    decoder = SilhouetteDecoder(C)
    z, _ = inputs((3, 4), {})
    mask = decoder(z)
    assert mask.shape == (2, 1, 24, 32)
    mask.square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in decoder.parameters())


def test_one_sample_does_not_see_the_others():
    decoder = SilhouetteDecoder(C, 8)
    z, features = inputs((6, 6), {8: 2})
    torch.testing.assert_close(
        decoder(z, features)[:1],
        decoder(z._replace(tokens=z.tokens[:1]), features[0][:1]),
    )


def test_wrong_inputs_are_refused():
    decoder = SilhouetteDecoder(C, [8, 16])
    z, features = inputs((6, 6), {8: 2, 16: 1})
    with pytest.raises(ValueError, match='built for 2 feature maps, got 1'):
        decoder(z, features[:1])
    with pytest.raises(ValueError, match='for a grid of'):
        decoder(z._replace(grid=(5, 7)), features)


def test_builds_from_a_config():
    decoder = MODELS.build(
        dict(
            type='mmd2a.SilhouetteDecoder',
            in_channels=C,
            skip_channels=(8, 16),
        )
    )
    assert len(decoder.skips) == 2

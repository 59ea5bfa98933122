"""Positions on a grid of tokens."""

import math

import pytest
import torch
from mmengine.logging import MMLogger

from mmd2a.models.encoders import HybridPositionalEncoding

MODES = ['hybrid', 'sinusoidal', 'learnable', 'none']


def test_the_fixed_table_is_the_published_sin_cos():
    encode = HybridPositionalEncoding(8, (3, 4), mode='sinusoidal')
    table = encode((3, 4))
    for y in range(3):
        for x in range(4):
            expected = [
                f(p / 10000 ** (i / 2))
                for p in (x, y)
                for f in (math.sin, math.cos)
                for i in range(2)
            ]
            torch.testing.assert_close(
                table[0, y * 4 + x], torch.tensor(expected)
            )


def test_hybrid_is_the_sum_of_both_parts():
    hybrid = HybridPositionalEncoding(8, (3, 4), mode='hybrid')
    fixed = HybridPositionalEncoding(8, (3, 4), mode='sinusoidal')
    learnable = HybridPositionalEncoding(8, (3, 4), mode='learnable')
    learnable.load_state_dict(hybrid.state_dict())
    for grid in [(3, 4), (6, 5)]:
        torch.testing.assert_close(hybrid(grid), fixed(grid) + learnable(grid))


@pytest.mark.parametrize('mode', MODES)
@pytest.mark.parametrize('grid', [(3, 4), (7, 5), (1, 1)])
def test_every_mode_serves_any_grid(mode, grid):
    encoding = HybridPositionalEncoding(8, (3, 4), mode=mode)(grid)
    assert encoding.shape == (1, grid[0] * grid[1], 8)
    assert encoding.isfinite().all()


@pytest.mark.parametrize(
    'mode, names',
    [
        ('hybrid', ['learnable']),
        ('learnable', ['learnable']),
        ('sinusoidal', []),
        ('none', []),
    ],
)
def test_only_what_is_learnt_is_in_the_checkpoint(mode, names):
    encode = HybridPositionalEncoding(8, (3, 4), mode=mode)
    assert list(encode.state_dict()) == names


def test_none_is_zero():
    encode = HybridPositionalEncoding(8, (3, 4), mode='none')
    assert not encode((3, 4)).any() and not encode((5, 5)).any()


def test_the_learnable_table_starts_small():
    encode = HybridPositionalEncoding(64, (14, 14), mode='learnable')
    assert encode.learnable.std().item() == pytest.approx(0.02, rel=0.05)


def test_the_same_place_has_the_same_code_on_any_grid():
    encode = HybridPositionalEncoding(16, (4, 4), mode='sinusoidal')
    # Three cells per old cell: the middle one has the old cell's centre.
    fine = encode((12, 12)).view(12, 12, 16)[1::3, 1::3]
    torch.testing.assert_close(fine.reshape(1, 16, 16), encode((4, 4)))


def test_a_constant_table_stays_constant_on_any_grid():
    encode = HybridPositionalEncoding(4, (4, 5), mode='learnable').double()
    torch.nn.init.constant_(encode.learnable, 0.7)
    for grid in [(9, 3), (2, 2), (8, 10)]:
        encoding = encode(grid)
        torch.testing.assert_close(encoding, torch.full_like(encoding, 0.7))


def test_a_linear_table_stays_linear_away_from_the_border():
    encode = HybridPositionalEncoding(1, (8, 8), mode='learnable').double()
    ramp = torch.arange(8, dtype=torch.float64).repeat(8).view(1, 64, 1)
    encode.learnable.data = ramp
    row = encode((8, 16)).view(8, 16)[4, 4:12]
    centres = (torch.arange(4, 12, dtype=torch.float64) + 0.5) / 2 - 0.5
    # Cubic convolution with a = -0.5, which `antialias` uses, is exact here.
    torch.testing.assert_close(row, centres, rtol=0, atol=1e-12)


def test_the_learnable_table_learns_at_another_grid():
    encode = HybridPositionalEncoding(4, (3, 3), mode='hybrid')
    encode((5, 4)).square().sum().backward()
    assert (encode.learnable.grad != 0).all()


def test_follows_the_module_to_another_precision():
    for mode in MODES:
        encode = HybridPositionalEncoding(8, (3, 4), mode=mode).double()
        for grid in [(3, 4), (5, 6)]:
            assert encode(grid).dtype == torch.float64


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match='multiple of 4'):
        HybridPositionalEncoding(6, (3, 4))
    with pytest.raises(ValueError, match="'hybrid'.*got 'both'"):
        HybridPositionalEncoding(8, (3, 4), mode='both')


@pytest.mark.parametrize('mode', MODES)
def test_training_on_another_grid_is_warned_of_once(mode, monkeypatch):
    logger = MMLogger.get_instance('test_positional_encoding')
    told = []
    monkeypatch.setattr(
        logger, 'handle', lambda record: told.append(record.getMessage())
    )
    encode = HybridPositionalEncoding(8, (3, 4), mode=mode)
    encode.eval()((6, 6))
    encode.train()((3, 4))
    assert not told
    for _ in range(2):
        encode((6, 6))
    assert len(told) == (mode != 'none')
    assert all('grid_size=(6, 6)' in text for text in told)

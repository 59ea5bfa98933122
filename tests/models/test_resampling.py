"""Maps on another grid."""

import pytest
import torch
import torch.nn.functional as F

from mmd2a.models.resampling import average_map, interpolate_map

SIZES = [(6, 6), (7, 7), (3, 4), (16, 12), (1, 1), (5, 6)]


@pytest.mark.parametrize('size', SIZES)
@pytest.mark.parametrize('target', [(6, 6), (3, 2), (4, 5)])
def test_averages_are_those_of_adaptive_pooling(size, target):
    maps = torch.randn(2, 3, *size, dtype=torch.float64, requires_grad=True)
    expected = F.adaptive_avg_pool2d(maps, target)
    found = average_map(maps, target)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    weight = torch.randn_like(expected)
    torch.testing.assert_close(
        torch.autograd.grad((found * weight).sum(), maps),
        torch.autograd.grad((expected * weight).sum(), maps),
    )


@pytest.mark.parametrize('size', [(6, 6), (7, 7), (12, 18)])
def test_averages_trace_without_adaptive_pooling(size):
    """The exporter of TorchScript knows it for sizes that divide only."""
    trace = torch.jit.trace(
        lambda maps: average_map(maps, (6, 6)), torch.randn(2, 3, *size)
    )
    assert 'adaptive' not in str(trace.inlined_graph)
    maps = torch.randn(5, 3, *size)
    torch.testing.assert_close(trace(maps), average_map(maps, (6, 6)))


def test_maps_that_fit_are_returned_as_they_are():
    maps = torch.randn(2, 3, 4, 5)
    assert average_map(maps, (4, 5)) is maps
    assert interpolate_map(maps, (4, 5)) is maps
    assert interpolate_map(maps, (8, 9)).shape == (2, 3, 8, 9)

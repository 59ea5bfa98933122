"""The gate that mixes token streams."""

import math

import pytest
import torch
from mmengine.model import BaseModule

from mmd2a.models.encoders import LearnableGatedFusion


def _streams(k=3, channels=4, tokens=5):
    return list(torch.randn(k, 2, tokens, channels, dtype=torch.float64))


def _trained(channels=4, k=3):
    """A gate away from its start."""
    gate = LearnableGatedFusion(channels, k).double()
    torch.nn.init.normal_(gate.proj.weight)
    torch.nn.init.normal_(gate.proj.bias)
    return gate


@pytest.mark.parametrize('share', [0.9, 0.5])
def test_starts_as_its_first_stream(share):
    gate = LearnableGatedFusion(4, first_share=share).double()
    shares = gate.shares(_streams())
    expected = torch.tensor(
        [share, (1 - share) / 2, (1 - share) / 2], dtype=torch.float64
    )
    torch.testing.assert_close(
        shares, expected[:, None].expand_as(shares), rtol=0, atol=1e-7
    )


def test_the_start_tends_to_the_first_stream_alone():
    streams = _streams()
    errors = []
    for share in (0.9, 0.99, 0.999):
        gate = LearnableGatedFusion(4, first_share=share).double()
        errors.append((gate(streams) - streams[0]).norm().item())
    assert errors[1] == pytest.approx(errors[0] / 10, rel=1e-5)
    assert errors[2] == pytest.approx(errors[0] / 100, rel=1e-4)


def test_no_stream_is_cut_off_at_the_start():
    gate = LearnableGatedFusion(4).double()
    streams = [s.requires_grad_() for s in _streams()]
    gate(streams).square().sum().backward()
    for x in [*streams, gate.proj.weight, gate.proj.bias]:
        assert (x.grad != 0).all()


@torch.no_grad()
def test_is_the_softmax_of_its_formula():
    gate, streams = _trained(channels=2), _streams(channels=2, tokens=3)
    mixed = gate(streams)
    weight, bias = gate.proj.weight, gate.proj.bias
    for b in range(2):
        for n in range(3):
            x = [s[b, n, c] for s in streams for c in range(2)]
            for c in range(2):
                logits = [
                    sum(weight[k * 2 + c, i] * x[i] for i in range(6))
                    + bias[k * 2 + c]
                    for k in range(3)
                ]
                exps = [math.exp(v) for v in logits]
                expected = sum(
                    e * s[b, n, c] for e, s in zip(exps, streams)
                ) / sum(exps)
                assert mixed[b, n, c].item() == pytest.approx(
                    expected.item(), abs=1e-12
                )


@pytest.mark.parametrize('k', [2, 3, 5])
def test_stays_within_its_streams(k):
    gate, streams = _trained(k=k), _streams(k=k)
    mixed, stacked = gate(streams), torch.stack(streams)
    assert (mixed >= stacked.amin(0) - 1e-12).all()
    assert (mixed <= stacked.amax(0) + 1e-12).all()
    torch.testing.assert_close(
        gate.shares(streams).sum(-2), torch.ones_like(mixed)
    )


def test_equal_streams_pass_unchanged():
    x = _streams()[0]
    torch.testing.assert_close(_trained()([x, x, x]), x)


def test_keeps_its_start_under_a_parents_init_cfg():
    class Parent(BaseModule):
        def __init__(self):
            super().__init__(dict(type='TruncNormal', layer='Linear', std=0.5))
            self.gate = LearnableGatedFusion(4)

    parent = Parent()
    parent.init_weights()
    assert not parent.gate.proj.weight.any()
    assert parent.gate.shares([torch.randn(1, 1, 4)] * 3)[
        0, 0, 0, 0
    ].item() == pytest.approx(0.9)


@pytest.mark.parametrize('share', [1 / 3, 1.0, 0.0])
def test_a_share_that_favours_nobody_is_refused(share):
    with pytest.raises(ValueError, match='first_share'):
        LearnableGatedFusion(4, first_share=share)

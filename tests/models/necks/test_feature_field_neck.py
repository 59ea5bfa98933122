"""A field between the backbone and the head of any model."""

import pytest
import torch

from mmd2a.models.fields import View
from mmd2a.models.necks import FeatureFieldNeck

FIELD = dict(type='mmd2a.FeatureField', out_channels=12, hidden=16, depth=3)


def build(conditioning='global', **changes):
    torch.manual_seed(0)
    neck = FeatureFieldNeck(
        in_channels=[6, 10],
        embed_dims=8,
        field=dict(FIELD, skip=1, conditioning=conditioning),
        renderer=dict(type='mmd2a.VolumeRenderer', size=(4, 3), num_samples=5),
        **changes,
    )
    neck.init_weights()
    return neck


@pytest.fixture
def maps():
    torch.manual_seed(1)
    return torch.randn(2, 6, 8, 6), torch.randn(2, 10, 4, 3)


@pytest.mark.parametrize('conditioning', ['global', 'film', 'pixel'])
def test_every_parameter_gets_a_gradient(conditioning, maps):
    neck = build(conditioning).train()
    (seen,) = neck(maps)
    assert seen.shape == (2, 12, 4, 3)
    seen.square().sum().backward()
    assert all(
        p.grad is not None and p.grad.isfinite().all()
        for p in neck.parameters()
    )


def test_it_is_the_canonical_view_of_the_field(maps):
    neck = build(as_tuple=False).eval()
    with torch.no_grad():
        field = neck.field.conditioned(neck.patch_embedding(maps))
        expected = neck.renderer(field, View(torch.zeros(2))).features
        assert torch.equal(neck(maps), expected)


def test_half_precision_is_close(maps):
    neck = build().eval()
    with torch.no_grad():
        exact = neck(maps)[0]
        with torch.autocast('cpu', torch.bfloat16):
            half = neck(maps)[0]
    torch.testing.assert_close(half.float(), exact, atol=0.05, rtol=0.1)

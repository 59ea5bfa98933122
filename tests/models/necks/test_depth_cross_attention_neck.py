"""The encoder between the backbone and the head of any model."""

import pytest
import torch
from mmengine.logging import MMLogger
from torch import Tensor

from mmd2a.models.encoders import DepthCrossAttentionEncoder
from mmd2a.models.necks import DepthCrossAttentionNeck
from mmd2a.registry import MODELS
from mmd2a.structures import RGBDFeatures

SIZES = dict(embed_dims=16, depth=2, num_heads=2, grid_size=(4, 3))


def build(**kwargs):
    torch.manual_seed(0)
    neck = DepthCrossAttentionNeck(
        **{**SIZES, 'in_channels': [6, 10], 'depth_channels': 5, **kwargs}
    )
    neck.init_weights()
    return neck


def draw(batch=3, has_depth=None):
    torch.manual_seed(1)
    image = torch.randn(batch, 6, 8, 6), torch.randn(batch, 10, 4, 3)
    depth = torch.randn(batch, 5, 8, 6)
    return RGBDFeatures(
        image,
        (depth,),
        torch.ones(batch) if has_depth is None else torch.tensor(has_depth),
    )


def test_a_neck_is_the_encoder_between_two_embeddings():
    neck = build().eval()
    features = draw(has_depth=[1.0, 0.0, 1.0])
    tokens = DepthCrossAttentionEncoder(**SIZES).eval()
    tokens.load_state_dict(neck.encoder.state_dict())
    z = tokens(
        neck.patch_embedding(features.image),
        neck.depth_embedding(features.depth, features.has_depth),
    )
    (out,) = neck(features)
    torch.testing.assert_close(out, z.as_map())


def test_depth_changes_what_comes_out():
    neck, features = build().eval(), draw()
    other = features._replace(depth=(features.depth[0] + 1,))
    assert not torch.allclose(neck(features)[0], neck(other)[0])


def test_people_without_depth_pass_as_images_alone():
    neck, features = build().eval(), draw(has_depth=[1.0, 0.0, 1.0])
    features.depth[0][1] = torch.nan
    (alone,) = neck(features.image)
    (out,) = neck(features)
    torch.testing.assert_close(out[1], alone[1])
    assert not torch.allclose(out[0], alone[0])


def test_a_neck_for_images_loads_from_one_with_depth():
    neck, rgb = build().eval(), build(with_depth=False).eval()
    rgb.load_state_dict(neck.state_dict(), strict=False)
    image = draw().image
    torch.testing.assert_close(rgb(image), neck(image))


@pytest.mark.parametrize('who', ['all', 'some', 'nobody', 'images'])
def test_every_parameter_gets_a_gradient(who):
    neck = build().train()
    features = draw(
        has_depth=dict(all=[1.0, 1.0, 1.0], some=[1.0, 0.0, 1.0]).get(
            who, [0.0, 0.0, 0.0]
        )
    )
    (out,) = neck(features.image if who == 'images' else features)
    out.square().sum().backward()
    assert all(
        p.grad is not None and p.grad.isfinite().all()
        for p in neck.parameters()
    )


def test_masking_and_positions_take_part():
    neck, features = (
        build(masking=dict(type='mmd2a.TokenMasking', max_ratio=1.0)),
        draw(64),
    )
    torch.manual_seed(0)
    (out,) = neck.train()(features)
    token = neck.encoder.masking.mask_token[0, 0]
    masked = (out == token[:, None, None]).all(1)
    assert 0.3 < masked.float().mean() < 0.7
    without = build(positional_encoding=None).eval()
    without.load_state_dict(neck.state_dict(), strict=False)
    assert not torch.allclose(neck.eval()(features)[0], without(features)[0])


@pytest.mark.parametrize('level, grid', [(0, (8, 6)), (-1, (4, 3))])
def test_the_level_gives_the_grid(level, grid):
    assert build(level=level)(draw())[0].shape == (3, 16, *grid)


def test_heads_get_a_tuple_or_a_tensor():
    assert isinstance(build()(draw()), tuple)
    assert isinstance(build(as_tuple=False)(draw()), Tensor)


def test_one_map_need_not_be_in_a_sequence():
    neck = build(in_channels=10)
    assert neck(draw().image[-1])[0].shape == (3, 16, 4, 3)


def test_mistakes_are_named():
    with pytest.raises(ValueError, match='with_depth=False'):
        build(with_depth=False)(draw())
    with pytest.raises(ValueError, match='in_channels'):
        build(in_channels=[6, 12])(draw())


@pytest.mark.parametrize('with_depth', [True, False])
def test_weights_of_the_time_before_the_neck_load(with_depth):
    """Encoder and neck were one module; its names had no prefix."""
    neck = build(with_depth=with_depth).eval()
    earlier = {
        name.removeprefix('encoder.'): value
        for name, value in neck.state_dict().items()
    }
    again = torch.nn.Sequential(build(with_depth=with_depth)).eval()
    torch.nn.init.zeros_(again[0].patch_embedding.proj.weight)
    again.load_state_dict({f'0.{k}': v for k, v in earlier.items()})
    image = draw().image
    assert torch.equal(again(image)[0], neck(image)[0])


def test_the_name_of_the_encoder_still_builds_a_neck(monkeypatch):
    logger = MMLogger.get_instance('test_depth_cross_attention_neck')
    told = []
    monkeypatch.setattr(
        logger, 'handle', lambda record: told.append(record.getMessage())
    )
    cfg = dict(SIZES, type='mmd2a.DepthCrossAttentionEncoder')
    torch.manual_seed(0)
    neck = MODELS.build(dict(cfg, in_channels=[6, 10], depth_channels=5))
    assert isinstance(neck, DepthCrossAttentionNeck)
    [advice] = [text for text in told if 'write type=' in text]
    assert "type='mmd2a.DepthCrossAttentionNeck'" in advice
    now = build()
    now.load_state_dict(neck.state_dict())
    assert torch.equal(neck.eval()(draw())[0], now.eval()(draw())[0])
    assert isinstance(MODELS.build(cfg), DepthCrossAttentionEncoder)

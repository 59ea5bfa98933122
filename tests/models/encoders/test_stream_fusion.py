"""What the gate is compared with: sums and a projection of the streams."""

import pytest
import torch

from mmd2a.models.encoders import (
    DepthCrossAttentionBlock,
    DepthCrossAttentionEncoder,
    LearnableGatedFusion,
)
from mmd2a.models.encoders.stream_fusion import FUSIONS, build_fusion
from mmd2a.structures import TokenMap

WIDTH, GRID = 8, (2, 3)


def streams():
    torch.manual_seed(1)
    return list(torch.randn(3, 2, 6, WIDTH, dtype=torch.float64))


def block(fusion=None):
    torch.manual_seed(0)
    chosen = {} if fusion is None else dict(fusion=fusion)
    return DepthCrossAttentionBlock(WIDTH, 2, 2, 0.0, **chosen).double()


def test_the_default_is_the_drawing():
    """Bit by bit, parameters and output: the gate of the three streams."""
    drawn, named = block(), block('gate')
    assert type(drawn.fusion) is LearnableGatedFusion
    assert drawn.fusion.first_share == 0.9
    for (name, ours), (_, theirs) in zip(
        drawn.named_parameters(), named.named_parameters()
    ):
        assert torch.equal(ours, theirs), name
    img, depth, _ = streams()
    z_img = img + drawn.attn_img(drawn.norm_img(img))
    z_depth = depth + drawn.attn_depth(drawn.norm_depth(depth))
    z_f = drawn.fusion([z_img, drawn.attn_cross(z_img, z_depth), z_depth])
    expected = z_f + drawn.mlp(drawn.norm_mlp(z_f))
    for built in (drawn, named):
        z, z_out = built(img, depth)
        assert torch.equal(z, expected) and torch.equal(z_out, z_depth)


@pytest.mark.parametrize('fusion', FUSIONS)
def test_each_is_its_formula(fusion):
    a, b, c = streams()
    fuse = build_fusion(fusion, WIDTH).double()
    for p in fuse.parameters():
        torch.nn.init.normal_(p)
    if fusion == 'gate':
        logits = torch.cat([a, b, c], -1) @ fuse.proj.weight.T
        g = (logits + fuse.proj.bias).unflatten(-1, (3, -1)).softmax(-2)
        expected = (g * torch.stack([a, b, c], -2)).sum(-2)
    elif fusion == 'concat':
        w = fuse.proj.weight.chunk(3, 1)
        expected = a @ w[0].T + b @ w[1].T + c @ w[2].T + fuse.proj.bias
    else:
        expected = a + b + (c if fusion == 'add' else 0)
    torch.testing.assert_close(fuse([a, b, c]), expected)


def test_concatenation_starts_as_the_gate_does():
    """Also after the initialisation of an encoder around it."""
    encoder = DepthCrossAttentionEncoder(
        WIDTH, depth=1, num_heads=2, grid_size=GRID, fusion='concat'
    )
    encoder.init_weights()
    concat = encoder.blocks[0].fusion.double()
    gate = LearnableGatedFusion(WIDTH).double()
    torch.testing.assert_close(concat(streams()), gate(streams()))


@pytest.mark.parametrize('fusion', FUSIONS)
def test_people_without_depth_have_the_image_stream_alone(fusion):
    """And every parameter a gradient, with and without them."""
    built = block(fusion)
    img, depth, _ = streams()
    has = torch.tensor([True, False])[:, None, None]
    rgb, _ = built(img)
    z, _ = built(img, depth, has)
    assert torch.equal(z[1], rgb[1]) and not torch.equal(z[0], rgb[0])
    for present in (has, torch.zeros_like(has)):
        built.zero_grad()
        z, _ = built(img, depth, present)
        z.square().sum().backward()
        assert all(p.grad is not None for p in built.parameters())


def test_an_unknown_fusion_is_refused():
    """With and without depth to fuse."""
    for with_depth in (True, False):
        with pytest.raises(ValueError, match="gate.*'mean'"):
            DepthCrossAttentionEncoder(
                WIDTH, fusion='mean', with_depth=with_depth
            )


@pytest.mark.parametrize('fusion', FUSIONS)
def test_weights_of_an_rgb_model_load(fusion):
    """The rest of the parameters keep their names."""
    sizes = dict(embed_dims=WIDTH, depth=1, num_heads=2, grid_size=GRID)
    rgb = DepthCrossAttentionEncoder(**sizes, with_depth=False).eval()
    encoder = DepthCrossAttentionEncoder(**sizes, fusion=fusion).eval()
    missing, unexpected = encoder.load_state_dict(
        rgb.state_dict(), strict=False
    )
    assert not unexpected
    assert all('depth' in n or 'cross' in n or 'fusion' in n for n in missing)
    image = TokenMap(torch.randn(2, 6, WIDTH), GRID)
    torch.testing.assert_close(encoder(image).tokens, rgb(image).tokens)

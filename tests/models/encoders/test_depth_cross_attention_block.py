"""The encoder block against its five drawn equations, in plain loops."""

import math

import pytest
import torch

from mmd2a.models.encoders import (
    DepthCrossAttentionBlock,
    DepthCrossAttentionEncoder,
)
from mmd2a.structures import TokenMap

WIDTH = 8


def _tokens(batch=2, tokens=4):
    return torch.randn(2, batch, tokens, WIDTH, dtype=torch.float64)


def _shake(module):
    """Move every parameter away from its start, gates included."""
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.4)
    return module


# The drawn equations, number by number: loops, no torch.nn.functional.


def _linear(layer, x):
    return torch.stack(
        [
            sum(layer.weight[o, i] * x[i] for i in range(len(x)))
            + layer.bias[o]
            for o in range(len(layer.bias))
        ]
    )


def _norm(layer, x):
    mean = sum(x) / len(x)
    variance = sum((v - mean) ** 2 for v in x) / len(x)
    return layer.weight * (x - mean) / (variance + 1e-5).sqrt() + layer.bias


def _attention(layer, queries, source):
    heads, width = layer.num_heads, queries.shape[-1]
    size = width // heads
    q = [_linear(layer.q, x) for x in queries]
    kv = [_linear(layer.kv, x) for x in source]
    out = []
    for n in range(len(queries)):
        merged = []
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            logits = [
                sum(q[n][part] * x[:width][part]) / math.sqrt(size) for x in kv
            ]
            exps = [v.exp() for v in logits]
            merged.append(
                sum(e * x[width:][part] for e, x in zip(exps, kv)) / sum(exps)
            )
        out.append(_linear(layer.proj, torch.cat(merged)))
    return torch.stack(out)


def _gate(layer, *streams):
    out = []
    for parts in zip(*streams):
        exps = _linear(layer.proj, torch.cat(parts)).exp().chunk(len(parts))
        out.append(sum(e * x for e, x in zip(exps, parts)) / sum(exps))
    return torch.stack(out)


def _mlp(layers, x):
    hidden = _linear(layers[0], x)
    hidden = hidden * 0.5 * (1 + torch.erf(hidden / math.sqrt(2)))
    return _linear(layers[3], hidden)


def _rows(fn, layer, x):
    return torch.stack([fn(layer, row) for row in x])


def naive_block(block, z_img, z_depth=None):
    """One sample (N, C) through the five drawn equations."""
    normed = _rows(_norm, block.norm_img, z_img)
    z_img = z_img + _attention(block.attn_img, normed, normed)
    z_f = z_img
    if z_depth is not None:
        normed = _rows(_norm, block.norm_depth, z_depth)
        z_depth = z_depth + _attention(block.attn_depth, normed, normed)
        z_c = _attention(block.attn_cross, z_img, z_depth)
        z_f = _gate(block.fusion, z_img, z_c, z_depth)
    z = z_f + _rows(_mlp, block.mlp, _rows(_norm, block.norm_mlp, z_f))
    return z, z_depth


@torch.no_grad()
@pytest.mark.parametrize('fused', [True, False])
def test_block_is_the_drawn_equations(fused):
    block = _shake(
        DepthCrossAttentionBlock(WIDTH, 2, 2, 0.0, fused_attention=fused)
    ).double()
    img, depth = _tokens()
    z, z_depth = block(img, depth)
    for b in range(2):
        expected = naive_block(block, img[b], depth[b])
        torch.testing.assert_close(
            (z[b], z_depth[b]), expected, rtol=0, atol=1e-10
        )


@torch.no_grad()
def test_block_without_depth_is_a_pre_norm_transformer_block():
    block = _shake(
        DepthCrossAttentionBlock(WIDTH, 2, 2, 0.0, with_depth=False)
    ).double()
    img, _ = _tokens()
    z, z_depth = block(img)
    assert z_depth is None
    for b in range(2):
        torch.testing.assert_close(
            z[b], naive_block(block, img[b])[0], rtol=0, atol=1e-10
        )


@torch.no_grad()
@pytest.mark.parametrize('stream', ['own', 'fused'])
def test_encoder_is_positions_then_blocks(stream):
    grid = (2, 3)
    encoder = _shake(
        DepthCrossAttentionEncoder(
            WIDTH,
            depth=2,
            num_heads=2,
            mlp_ratio=2,
            dropout=0.0,
            grid_size=grid,
            masking=None,
            depth_stream=stream,
        )
    ).double()
    img, depth = _tokens(batch=1, tokens=6)
    z = (img + encoder.position_img(grid))[0]
    z_depth = (depth + encoder.position_depth(grid))[0]
    for block in encoder.blocks:
        z, z_depth = naive_block(block, z, z_depth)
        if stream == 'fused':
            z_depth = z
    torch.testing.assert_close(
        encoder(TokenMap(img, grid), TokenMap(depth, grid)).tokens[0],
        z,
        rtol=0,
        atol=1e-10,
    )


def test_block_gradients_are_right():
    block = _shake(DepthCrossAttentionBlock(4, 2, 1, 0.0)).double()
    img, depth = (
        t[..., :4].clone().requires_grad_() for t in _tokens(tokens=3)
    )
    has_depth = torch.tensor([True, False])[:, None, None]
    assert torch.autograd.gradcheck(
        lambda i, d: block(i, d, has_depth), (img, depth)
    )

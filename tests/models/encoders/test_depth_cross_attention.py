"""The encoder in any configuration, for any mix of samples.

Over 350 lines: encoder and neck share one naive reference.
"""

import itertools
import math

import pytest
import torch
from mmengine.registry import MODELS as MMENGINE_MODELS

from mmd2a.models.encoders import DepthCrossAttentionEncoder
from mmd2a.structures import TokenMap

GRID, TOKENS, WIDTH = (3, 3), 9, 8
SMALL = dict(
    embed_dims=WIDTH, depth=2, num_heads=2, mlp_ratio=2, grid_size=GRID
)
PLAIN = dict(SMALL, dropout=0.0, masking=None)


def _tokens(batch=2, tokens=TOKENS, dtype=torch.float32):
    return (
        torch.randn(batch, tokens, WIDTH, dtype=dtype),
        torch.randn(batch, tokens, WIDTH, dtype=dtype),
    )


def _run(encoder, img, depth=None, grid=GRID, has=None, depth_grid=None):
    """Call with tensors: tokens (B, N, C) of image and depth."""
    if depth is not None:
        depth = TokenMap(depth, depth_grid or grid, has)
    return encoder(TokenMap(img, grid), depth).tokens


def _shake(module):
    """Move every parameter away from its start, gates included."""
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.4)
    return module


def _gradients(module):
    return {n: p.grad for n, p in module.named_parameters()}


# Ablations: every parameter gets a gradient, whatever is on or off.

PATTERNS = {
    'all': [1.0, 1.0, 1.0],
    'some': [1.0, 0.0, 1.0],
    'nobody': [0.0, 0.0, 0.0],
    'unsaid': None,
    'no tokens': None,
}
MASKINGS = [
    None,
    dict(type='mmd2a.TokenMasking', target='output'),
    dict(type='mmd2a.TokenMasking', target='input'),
    dict(type='mmd2a.TokenMasking', max_ratio=0.0),
]
POSITIONS = [
    None,
    *(
        dict(type='mmd2a.HybridPositionalEncoding', mode=mode)
        for mode in ('hybrid', 'sinusoidal', 'learnable', 'none')
    ),
]


@pytest.mark.parametrize('blocks', [1, 2])
@pytest.mark.parametrize(
    'stream, pattern',
    [*itertools.product(['own', 'fused'], PATTERNS), (None, 'no tokens')],
)
def test_every_parameter_gets_a_gradient(blocks, stream, pattern):
    with_depth = stream is not None  # None: RGB only
    flags = PATTERNS[pattern]
    has_depth = None if flags is None else torch.tensor(flags)
    img, depth = _tokens(batch=3)
    if pattern == 'no tokens':
        depth = None
    for masking in MASKINGS:
        for position in POSITIONS:
            encoder = DepthCrossAttentionEncoder(
                **dict(SMALL, depth=blocks),
                with_depth=with_depth,
                depth_stream=stream or 'own',
                masking=masking,
                positional_encoding=position,
            )
            _run(
                encoder, img, depth, GRID, has_depth
            ).square().sum().backward()
            for name, grad in _gradients(encoder).items():
                assert grad is not None and grad.isfinite().all(), name


# Missing depth.


def _depth_and_rgb(**options):
    """An encoder with depth and the RGB-only one inside it."""
    encoder = _shake(DepthCrossAttentionEncoder(**PLAIN, **options))
    rgb = DepthCrossAttentionEncoder(**PLAIN, with_depth=False)
    missing, _ = rgb.load_state_dict(encoder.state_dict(), strict=False)
    assert not missing
    return encoder, rgb


@pytest.mark.parametrize('stream', ['own', 'fused'])
@pytest.mark.parametrize('dtype', [torch.float32, torch.bool, torch.int64])
def test_a_sample_without_depth_is_the_image_stream_alone(stream, dtype):
    encoder, rgb = _depth_and_rgb(depth_stream=stream)
    img, depth = _tokens(batch=3)
    z = _run(encoder, img, depth, GRID, torch.tensor([1, 0, 0]).to(dtype))
    alone = _run(rgb, img, None, GRID)
    assert torch.equal(z[1:], alone[1:])
    assert not torch.allclose(z[0], alone[0], atol=1e-3)


def test_no_depth_tokens_is_nobody_has_depth():
    encoder, rgb = _depth_and_rgb()
    img, depth = _tokens()
    closed = _run(encoder, img, depth, GRID, torch.zeros(2))
    assert torch.equal(_run(encoder, img, None, GRID), closed)
    with torch.no_grad():  # here the depth path is skipped
        assert torch.equal(_run(encoder, img, None, GRID), closed)
    assert torch.equal(closed, _run(rgb, img, None, GRID))


@pytest.mark.parametrize('stream', ['own', 'fused'])
@pytest.mark.parametrize('grid', [GRID, (6, 6)])
@pytest.mark.parametrize('garbage', [math.nan, math.inf, 1e30])
def test_garbage_depth_leaves_no_trace(stream, grid, garbage):
    encoder, _ = _depth_and_rgb(depth_stream=stream)
    img, depth = _tokens(batch=3)
    depth = torch.randn(3, grid[0] * grid[1], WIDTH)
    has_depth = torch.tensor([1.0, 0.0, 1.0])
    results = []
    for value in (0.0, garbage):
        tokens = depth.clone()
        tokens[1] = value
        tokens.requires_grad_()
        image = img.clone().requires_grad_()
        encoder.zero_grad()
        z = _run(encoder, image, tokens, GRID, has_depth, depth_grid=grid)
        z.square().sum().backward()
        assert not tokens.grad[1].any() and tokens.grad[0].any()
        results.append(
            [z, image.grad, tokens.grad, *_gradients(encoder).values()]
        )
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_depth_parameters_stay_put_if_nobody_has_depth():
    encoder, rgb = _depth_and_rgb()
    img, depth = _tokens()
    _run(encoder, img, depth, GRID, torch.zeros(2)).square().sum().backward()
    _run(rgb, img, None, GRID).square().sum().backward()
    expected = _gradients(rgb)
    for name, grad in _gradients(encoder).items():
        torch.testing.assert_close(
            grad, expected.get(name, torch.zeros_like(grad))
        )


def test_training_starts_close_to_the_rgb_model():
    torch.manual_seed(0)
    options = dict(embed_dims=64, num_heads=4, grid_size=(4, 4), masking=None)
    encoder = DepthCrossAttentionEncoder(**options).eval()
    encoder.init_weights()
    rgb = DepthCrossAttentionEncoder(**options, with_depth=False).eval()
    rgb.load_state_dict(encoder.state_dict(), strict=False)
    img, other_img, depth, other_depth = torch.randn(4, 4, 16, 64)

    z = _run(encoder, img, depth, (4, 4))
    similarity = torch.cosine_similarity(
        z, _run(rgb, img, None, (4, 4)), dim=-1
    )
    assert similarity.min() > 0.9
    # Swapping the depth moves z far less than swapping the image.
    by_depth = (_run(encoder, img, other_depth, (4, 4)) - z).norm()
    by_image = (_run(encoder, other_img, depth, (4, 4)) - z).norm()
    assert by_depth < 0.4 * by_image


def test_each_gate_starts_with_nine_tenths_of_the_image():
    encoder = DepthCrossAttentionEncoder(**SMALL)
    encoder.init_weights()
    for block in encoder.blocks:
        streams = torch.randn(3, 2, TOKENS, WIDTH)
        shares = block.fusion.shares(streams)[..., 0, :]
        torch.testing.assert_close(shares, torch.full_like(shares, 0.9))


# Lengths and grids.


def test_unequal_lengths_are_refused_with_both_shapes():
    img, _ = _tokens()
    with pytest.raises(ValueError, match=r'depth tokens \(2, 16, 8\).*N = 9'):
        _run(
            DepthCrossAttentionEncoder(**SMALL),
            img,
            torch.zeros(2, 16, 8),
            GRID,
        )


def test_unequal_widths_are_refused_with_both_shapes():
    img, _ = _tokens()
    with pytest.raises(ValueError, match=r'\(2, 9, 8\).*\(2, 9, 4\)'):
        _run(
            DepthCrossAttentionEncoder(**SMALL),
            img,
            torch.zeros(2, 9, 4),
            GRID,
        )


def test_finer_depth_tokens_are_interpolated_to_the_image_grid():
    encoder = _shake(DepthCrossAttentionEncoder(**PLAIN))
    img, _ = _tokens()
    fine = torch.randn(2, 6, 6, WIDTH)
    # Bilinear to half the size is the mean of 2 x 2 cells.
    mean = fine.view(2, 3, 2, 3, 2, WIDTH).mean(dim=(2, 4))
    torch.testing.assert_close(
        _run(encoder, img, fine.flatten(1, 2), GRID, depth_grid=(6, 6)),
        _run(encoder, img, mean.flatten(1, 2), GRID),
    )


def test_coarser_depth_tokens_are_interpolated_to_the_image_grid():
    encoder = _shake(DepthCrossAttentionEncoder(**PLAIN))
    img, _ = _tokens()
    one = torch.randn(2, 1, WIDTH)
    torch.testing.assert_close(
        _run(encoder, img, one, GRID, depth_grid=(1, 1)),
        _run(encoder, img, one.expand(-1, TOKENS, -1), GRID),
    )


def test_a_depth_grid_equal_to_the_image_grid_changes_nothing():
    encoder, tokens = DepthCrossAttentionEncoder(**PLAIN), _tokens()
    assert torch.equal(
        _run(encoder, *tokens, GRID, depth_grid=GRID),
        _run(encoder, *tokens, GRID),
    )


def test_a_wrong_depth_grid_is_refused():
    with pytest.raises(ValueError, match=r'depth tokens \(2, 9, 8\).*2 x 2'):
        _run(
            DepthCrossAttentionEncoder(**SMALL),
            *_tokens(),
            GRID,
            depth_grid=(2, 2),
        )


def test_a_wrong_has_depth_is_refused():
    with pytest.raises(ValueError, match=r'has of depth.*\(2,\).*\(2, 1\)'):
        _run(
            DepthCrossAttentionEncoder(**SMALL),
            *_tokens(),
            GRID,
            torch.ones(2, 1),
        )


# Configuration.


def test_masking_hides_output_tokens_in_training_only():
    torch.manual_seed(0)
    encoder = DepthCrossAttentionEncoder(
        **dict(PLAIN, masking=dict(type='mmd2a.TokenMasking', max_ratio=1.0))
    )
    tokens = _tokens(batch=8)
    z = _run(encoder, *tokens, GRID)
    hidden = (z == encoder.masking.mask_token).all(dim=-1)
    clean = _run(encoder.eval(), *tokens, GRID)
    assert 0 < hidden.sum() < hidden.numel()
    torch.testing.assert_close(z[~hidden], clean[~hidden])


def test_masking_the_input_hides_image_tokens_but_not_depth():
    torch.manual_seed(0)
    masking = dict(type='mmd2a.TokenMasking', max_ratio=1.0, target='input')
    encoder = DepthCrossAttentionEncoder(**dict(PLAIN, masking=masking))
    img, depth = (t.requires_grad_() for t in _tokens(batch=8))
    _run(encoder, img, depth, GRID).square().sum().backward()
    hidden = ~img.grad.any(dim=-1)
    assert 0 < hidden.sum() < hidden.numel()
    assert depth.grad.any(dim=-1).all()


def test_builds_from_a_config_in_another_scope():
    encoder = MMENGINE_MODELS.build(
        dict(type='mmd2a.DepthCrossAttentionEncoder', **SMALL)
    )
    assert isinstance(encoder, DepthCrossAttentionEncoder)


def test_building_leaves_the_config_as_it_was():
    position = dict(type='mmd2a.HybridPositionalEncoding', mode='learnable')
    masking = dict(type='mmd2a.TokenMasking')
    DepthCrossAttentionEncoder(
        **SMALL, positional_encoding=position, masking=masking
    )
    assert list(position) == ['type', 'mode'] and list(masking) == ['type']


def test_each_stream_has_its_own_learnable_table_and_one_fixed():
    encoder = DepthCrossAttentionEncoder(**SMALL)
    img, depth = encoder.position_img, encoder.position_depth
    assert img.learnable is not depth.learnable
    assert torch.equal(img.fixed, depth.fixed)


def test_default_initialisation_is_the_documented_one():
    encoder = DepthCrossAttentionEncoder(embed_dims=64, depth=1, num_heads=4)
    encoder.init_weights()
    for name, p in encoder.named_parameters():
        if 'fusion' in name:
            continue
        if 'norm' in name:
            assert (p == (1 if name.endswith('weight') else 0)).all(), name
        elif name.endswith('bias'):
            assert not p.any(), name
        elif p.ndim == 2:
            assert p.std().item() == pytest.approx(0.02, rel=0.1), name


def test_an_unknown_depth_stream_is_refused():
    with pytest.raises(ValueError, match="'own'.*got 'both'"):
        DepthCrossAttentionEncoder(**SMALL, depth_stream='both')


def test_exports_to_one_graph_for_any_batch_and_depth():
    encoder = DepthCrossAttentionEncoder(**PLAIN).eval()
    batch = torch.export.Dim('batch', min=1, max=9)
    axes = TokenMap({0: batch}, (None, None), {0: batch})
    image, depth = (TokenMap(x, GRID, torch.ones(2)) for x in _tokens())
    program = torch.export.export(
        encoder, (image, depth), dynamic_shapes=(axes, axes)
    )
    for size in (1, 5):
        image, depth = (
            TokenMap(x, GRID, torch.arange(size) % 2)
            for x in _tokens(batch=size)
        )
        image, depth = (x._replace(has=x.has.float()) for x in (image, depth))
        torch.testing.assert_close(
            program.module()(image, depth).tokens, encoder(image, depth).tokens
        )


def test_tensors_are_refused_by_naming_the_token_map():
    img, depth = _tokens()
    encoder = DepthCrossAttentionEncoder(**SMALL)
    with pytest.raises(TypeError, match=r'image tokens.*TokenMap\(tokens, g'):
        encoder(img)
    with pytest.raises(TypeError, match='depth tokens must be a TokenMap'):
        encoder(TokenMap(img, GRID), depth)

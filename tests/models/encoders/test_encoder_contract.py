"""What any encoder of tokens must do, and each one doing it."""

import pytest
import torch

from mmd2a.models.encoders import DepthCrossAttentionEncoder
from mmd2a.structures import TokenMap

GRID, TOKENS, WIDTH = (3, 3), 9, 8
SMALL = dict(
    embed_dims=WIDTH, depth=2, num_heads=2, mlp_ratio=2, grid_size=GRID
)


def _tokens(batch=2, tokens=TOKENS, dtype=torch.float32):
    return (
        torch.randn(batch, tokens, WIDTH, dtype=dtype),
        torch.randn(batch, tokens, WIDTH, dtype=dtype),
    )


def _shake(module):
    """Move every parameter away from its start, gates included."""
    for p in module.parameters():
        torch.nn.init.normal_(p, std=0.4)
    return module


class EncoderContract:
    """What any encoder must do; inherit and say how yours is built."""

    options: dict = {}
    uses_depth = True

    def build(self, **options):
        return DepthCrossAttentionEncoder(
            **{**SMALL, **self.options, **options}
        )

    def call(self, encoder, img, depth, grid=GRID):
        depth = TokenMap(depth, grid) if self.uses_depth else None
        return encoder(TokenMap(img, grid), depth).tokens

    def test_tokens_keep_their_shape(self):
        img, depth = _tokens()
        assert self.call(self.build(), img, depth).shape == img.shape

    @pytest.mark.parametrize('grid', [(2, 5), (6, 4)])
    def test_other_input_size(self, grid):
        img, depth = _tokens(tokens=grid[0] * grid[1])
        z = self.call(self.build(), img, depth, grid)
        assert z.shape == img.shape and z.isfinite().all()

    def test_wrong_grid_is_refused(self):
        with pytest.raises(ValueError, match=r'\(2, 9, 8\).*N = 8.*2 x 4'):
            self.call(self.build(), *_tokens(), grid=(2, 4))

    def test_every_parameter_learns(self):
        encoder = self.build()
        encoder.init_weights()
        self.call(encoder, *_tokens()).square().sum().backward()
        for name, p in encoder.named_parameters():
            assert p.grad is not None, name
            # A key's bias cancels in the softmax; a mask may hide nothing.
            if not name.endswith(('kv.bias', 'mask_token')):
                assert p.grad.any(), name

    def test_samples_do_not_mix(self):
        encoder = _shake(self.build()).double().eval()
        img, depth = _tokens(batch=3, dtype=torch.float64)
        together = self.call(encoder, img, depth)
        for b in range(3):
            alone = self.call(encoder, img[b : b + 1], depth[b : b + 1])
            torch.testing.assert_close(alone[0], together[b])

    def test_position_matters(self):
        encoder = self.build().eval()
        img, depth = _tokens()
        flipped = self.call(encoder, img.flip(1), depth.flip(1)).flip(1)
        assert not torch.allclose(
            flipped, self.call(encoder, img, depth), atol=1e-3
        )

    def test_test_time_is_deterministic(self):
        encoder, tokens = self.build().eval(), _tokens()
        assert torch.equal(
            self.call(encoder, *tokens), self.call(encoder, *tokens)
        )

    def test_state_dict_round_trip(self):
        first, tokens = _shake(self.build()).eval(), _tokens()
        second = self.build().eval()
        second.load_state_dict(first.state_dict())
        assert torch.equal(
            self.call(first, *tokens), self.call(second, *tokens)
        )

    def test_fused_and_manual_attention_agree(self):
        fused = _shake(self.build()).double().eval()
        manual = self.build(fused_attention=False).double().eval()
        manual.load_state_dict(fused.state_dict())
        tokens = _tokens(dtype=torch.float64)
        torch.testing.assert_close(
            self.call(fused, *tokens),
            self.call(manual, *tokens),
            rtol=0,
            atol=1e-10,
        )

    def test_bfloat16_autocast_stays_close(self):
        encoder, tokens = self.build().eval(), _tokens()
        exact = self.call(encoder, *tokens)
        with torch.autocast('cpu', torch.bfloat16):
            z = self.call(encoder, *tokens)
        assert (z - exact).abs().max() < 0.05 * exact.abs().max()

    def test_is_one_graph_for_the_compiler(self):
        encoder = self.build(dropout=0.0, masking=None)
        graph = torch.compile(encoder, backend='eager', fullgraph=True)
        tokens = _tokens()
        torch.testing.assert_close(
            self.call(graph, *tokens), self.call(encoder, *tokens)
        )


class TestDepthCrossAttentionEncoder(EncoderContract):
    """The default: image and depth, each stream its own."""


class TestFusedDepthStream(EncoderContract):
    """The option in which z feeds both streams."""

    options = dict(depth_stream='fused')


class TestAdded(EncoderContract):
    """Streams are added instead of gated."""

    options = dict(fusion='add')


class TestConcatenated(EncoderContract):
    """Streams are concatenated and projected."""

    options = dict(fusion='concat')


class TestCrossAttentionAlone(EncoderContract):
    """Depth comes by cross-attention only."""

    options = dict(fusion='cross_attention')


class TestRGBOnly(EncoderContract):
    """No depth parameters at all."""

    options = dict(with_depth=False)
    uses_depth = False

    def test_has_no_depth_parameters(self):
        names = [n for n, _ in self.build().named_parameters()]
        assert not [
            n for n in names if 'depth' in n or 'cross' in n or 'fusion' in n
        ]

    def test_depth_tokens_are_refused(self):
        with pytest.raises(ValueError, match='with_depth=False'):
            self.build()(*(TokenMap(x, GRID) for x in _tokens()))

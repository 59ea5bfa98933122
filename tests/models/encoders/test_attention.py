"""Multi-head attention."""

import pytest
import torch

from mmd2a.models.encoders import MultiHeadAttention


def _pair(**kwargs):
    fused = MultiHeadAttention(8, num_heads=2, fused=True, **kwargs)
    manual = MultiHeadAttention(8, num_heads=2, fused=False, **kwargs)
    manual.load_state_dict(fused.state_dict())
    return fused.double(), manual.double()


@pytest.mark.parametrize('cross', [False, True])
def test_fused_and_written_out_agree_in_value_and_gradient(cross):
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    y = torch.randn(2, 7, 8, dtype=torch.float64) if cross else None
    results = []
    for attend in _pair():
        query = x.clone().requires_grad_()
        out = attend(query, y)
        out.square().sum().backward()
        results.append(
            [out, query.grad] + [p.grad for p in attend.parameters()]
        )
    for a, b in zip(*results):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-12)


def test_agrees_with_torch_multihead_attention():
    attend, _ = _pair()
    reference = torch.nn.MultiheadAttention(8, 2, batch_first=True).double()
    with torch.no_grad():
        reference.in_proj_weight.copy_(
            torch.cat([attend.q.weight, attend.kv.weight])
        )
        reference.in_proj_bias.copy_(
            torch.cat([attend.q.bias, attend.kv.bias])
        )
        reference.out_proj.load_state_dict(attend.proj.state_dict())
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    y = torch.randn(2, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(
        attend(x, y), reference(x, y, y)[0], rtol=0, atol=1e-12
    )


def test_the_order_of_the_keys_does_not_matter():
    attend, _ = _pair()
    x = torch.randn(2, 5, 8, dtype=torch.float64)
    y = torch.randn(2, 7, 8, dtype=torch.float64)
    torch.testing.assert_close(
        attend(x, y), attend(x, y[:, torch.randperm(7)])
    )


@pytest.mark.parametrize('fused', [True, False])
@pytest.mark.parametrize('where', ['weights', 'output'])
def test_dropout_acts_in_training_only(fused, where):
    attend = MultiHeadAttention(8, 2, dropout=0.5, fused=fused)
    if where == 'weights':
        attend.proj_drop.p = 0.0
    else:
        attend.dropout = 0.0
    x = torch.randn(2, 5, 8)
    assert not torch.equal(attend(x), attend(x))
    attend.eval()
    assert torch.equal(attend(x), attend(x))


def test_heads_must_divide_the_width():
    with pytest.raises(ValueError, match=r'\(8\).*num_heads \(3\)'):
        MultiHeadAttention(8, num_heads=3)

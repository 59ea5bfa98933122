"""Masked modelling."""

import pytest
import torch

from mmd2a.models.encoders import TokenMasking


def test_masks_half_of_max_ratio_on_average():
    torch.manual_seed(0)
    mask = TokenMasking(1, max_ratio=0.3).draw_mask(torch.zeros(4000, 100, 1))
    counts = mask.sum(dim=1)
    # int(30 u) is uniform on 0..29: mean 14.5 of 100, std of the mean 0.14.
    assert counts.double().mean().item() == pytest.approx(14.5, abs=0.6)
    assert counts.min() == 0 and counts.max() == 29
    histogram = torch.bincount(counts, minlength=30) / 4000
    assert (histogram - 1 / 30).abs().max() < 0.015
    # Every position is as likely: std of a frequency is 0.0056.
    assert (mask.double().mean(dim=0) - 0.145).abs().max() < 0.025


def test_samples_are_masked_differently():
    torch.manual_seed(0)
    mask = TokenMasking(1, max_ratio=1.0).draw_mask(torch.zeros(2, 50, 1))
    assert not torch.equal(mask[0], mask[1])


def test_masked_tokens_become_the_mask_token_and_others_stay():
    torch.manual_seed(0)
    masking = TokenMasking(4, max_ratio=1.0)
    tokens = torch.randn(8, 20, 4)
    out = masking(tokens)
    hidden = (out == masking.mask_token).all(dim=-1)
    assert 0 < hidden.sum() < hidden.numel()
    assert torch.equal(out[~hidden], tokens[~hidden])


def test_is_off_at_test_time():
    masking = TokenMasking(4, max_ratio=1.0).eval()
    tokens = torch.randn(8, 20, 4)
    assert torch.equal(masking(tokens), tokens)


def test_hidden_tokens_send_no_gradient():
    torch.manual_seed(0)
    masking = TokenMasking(4, max_ratio=1.0)
    tokens = torch.randn(8, 20, 4, requires_grad=True)
    out = masking(tokens)
    hidden = (out == masking.mask_token).all(dim=-1)
    out.sum().backward()
    assert not tokens.grad[hidden].any()
    assert (tokens.grad[~hidden] == 1).all()
    assert (masking.mask_token.grad == hidden.sum()).all()


def test_the_mask_token_has_a_gradient_even_if_nothing_is_masked():
    masking = TokenMasking(4, max_ratio=0.0)
    tokens = torch.randn(2, 9, 4)
    out = masking(tokens)
    assert torch.equal(out, tokens)
    out.sum().backward()
    assert torch.equal(masking.mask_token.grad, torch.zeros(1, 1, 4))


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float64])
def test_keeps_the_precision_of_the_tokens(dtype):
    assert TokenMasking(4)(torch.zeros(2, 9, 4, dtype=dtype)).dtype == dtype


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match='max_ratio'):
        TokenMasking(4, max_ratio=1.2)
    with pytest.raises(ValueError, match="'output'.*got 'middle'"):
        TokenMasking(4, target='middle')

"""The field: what it depends on, in each way of conditioning."""

import pytest
import torch

from mmd2a.models.fields import FeatureField, View, VolumeRenderer
from mmd2a.models.fields.feature_field import (
    ACTIVATIONS,
    CONDITIONINGS,
    frequency_encoding,
)
from mmd2a.structures import TokenMap

B, P, C = 2, 7, 12


def make(**options):
    torch.manual_seed(0)
    options = dict(out_channels=5, hidden=16, depth=3, skip=1) | options
    return FeatureField(C, **options)


def inputs(dtype=torch.float32):
    torch.manual_seed(1)
    image = TokenMap(torch.randn(B, 12, C, dtype=dtype), (3, 4))
    points = 2 * torch.rand(B, P, 3, dtype=dtype) - 1
    directions = torch.nn.functional.normalize(
        torch.randn(B, P, 3, dtype=dtype), dim=-1
    )
    return image, points, directions


@pytest.mark.parametrize('conditioning', CONDITIONINGS)
@pytest.mark.parametrize('activation', ACTIVATIONS)
def test_density_is_not_negative_and_sees_no_direction(
    conditioning, activation
):
    field = make(conditioning=conditioning, activation=activation)
    image, points, directions = inputs()
    density, features = field(image, points, directions)
    assert density.shape == (B, P) and features.shape == (B, P, 5)
    assert (density >= 0).all()
    other, others = field(image, points, -directions)
    assert torch.equal(density, other)
    assert not torch.equal(features, others)


@pytest.mark.parametrize('conditioning', CONDITIONINGS)
def test_without_its_encoding_no_feature_sees_the_direction(conditioning):
    field = make(conditioning=conditioning, direction_frequencies=None)
    image, points, directions = inputs()
    density, features = field(image, points, directions)
    other, others = field(image, points, -directions)
    assert torch.equal(density, other) and torch.equal(features, others)
    # The point is seen all the same: what is turned looks otherwise.
    assert not torch.equal(features, field(image, -points, directions)[1])
    assert not [n for n, _ in field.named_parameters() if 'direction' in n]


@pytest.mark.parametrize('conditioning', CONDITIONINGS)
@pytest.mark.parametrize('skip', [None, 1])
@pytest.mark.parametrize('frequencies', [(0, 0), (3, 3), (3, None)])
def test_every_parameter_learns(conditioning, skip, frequencies):
    position, direction = frequencies
    field = make(
        conditioning=conditioning,
        skip=skip,
        position_frequencies=position,
        direction_frequencies=direction,
    )
    image, *_ = inputs()
    renderer = VolumeRenderer(3, 4)
    seen = renderer(field.conditioned(image), View(torch.rand(B)))
    seen.features.square().sum().backward()
    for name, parameter in field.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@pytest.mark.parametrize('conditioning', CONDITIONINGS)
def test_gradients_reach_the_image_and_are_right(conditioning):
    field = make(conditioning=conditioning, position_frequencies=2).double()
    image, points, directions = inputs(torch.float64)
    tokens = image.tokens.requires_grad_()

    def ask(tokens, points):
        return field(image._replace(tokens=tokens), points, directions)

    # Bilinear reading has kinks in the places, not in what is read.
    points.requires_grad_(conditioning != 'pixel')
    assert torch.autograd.gradcheck(ask, (tokens, points))


@pytest.mark.parametrize('conditioning', CONDITIONINGS)
def test_one_sample_does_not_see_the_others(conditioning):
    field = make(conditioning=conditioning)
    image, points, directions = inputs()
    whole = field(image, points, directions)
    alone = field(
        image._replace(tokens=image.tokens[1:]), points[1:], directions[1:]
    )
    for both, one in zip(whole, alone):
        torch.testing.assert_close(both[1:], one)


def test_pooled_conditions_ignore_where_and_pixels_do_not():
    """Tokens that change places: the mean stays, the pixels do not."""
    image, points, directions = inputs()
    moved = image._replace(tokens=image.tokens.flip(1))
    for conditioning in CONDITIONINGS:
        field = make(conditioning=conditioning)
        (first, _), (second, _) = (
            field(each, points, directions) for each in (image, moved)
        )
        same = torch.allclose(first, second, atol=1e-5)
        assert same == (conditioning != 'pixel')


def test_a_point_reads_the_token_it_projects_to():
    """At cell (i, j) of (h, w), at any depth; nothing outside the crop."""
    field = make(conditioning='pixel')
    image, *_ = inputs()
    image.tokens.requires_grad_()
    x, y = (2 * 3 + 1) / 4 - 1, (2 * 1 + 1) / 3 - 1
    points = torch.tensor([[x, y, -0.7]]).expand(B, 1, 3)
    density, _ = field(image, points, points)
    (gradient,) = torch.autograd.grad(density.sum(), image.tokens)
    read = gradient.abs().sum((0, 2)) > 1e-6
    assert read.nonzero().flatten().tolist() == [1 * 4 + 3]
    outside = points + torch.tensor([5.0, 0, 0])
    density, _ = field(image, outside, points)
    (gradient,) = torch.autograd.grad(density.sum(), image.tokens)
    assert not gradient.any()


@pytest.mark.parametrize('conditioning', CONDITIONINGS)
def test_a_map_tells_from_where_it_is_seen(conditioning):
    """Before any training: the angle is a linear function of the features."""
    field = make(
        conditioning=conditioning,
        out_channels=16,
        hidden=64,
        direction_frequencies=1,
    )
    image, *_ = inputs()
    yaw = torch.linspace(-3, 3, 121)
    image = image._replace(tokens=image.tokens[:1].expand(121, -1, -1))
    with torch.no_grad():
        seen = VolumeRenderer(4, 8).eval()(field.conditioned(image), View(yaw))
    known = torch.nn.functional.pad(
        seen.features.mean((2, 3)), (0, 1), value=1
    )
    told = torch.stack([yaw.sin(), yaw.cos()], 1)
    fit = (
        torch.linalg.pinv(known[::2].double(), rtol=1e-6) @ told[::2].double()
    )
    error = known[1::2].double() @ fit - told[1::2]
    # A constant guess is off by 0.64.
    assert error.abs().mean() < 0.1


def test_the_image_is_seen_in_the_features_from_the_start():
    """As large as what comes of the direction, whatever the tokens' size."""
    for size in (0.01, 100.0):
        field = make(hidden=64)
        image, points, directions = inputs()
        image = image._replace(tokens=size * image.tokens)
        same = points[:1].expand(B, -1, -1), directions[:1].expand(B, -1, -1)
        _, features = field(image, *same)
        _, turned = field(image, points, -directions)
        _, before = field(image, points, directions)
        by_image = (features[0] - features[1]).std()
        assert by_image > 0.2 * (turned - before).std()


def test_the_encoding_is_that_of_the_formula():
    x = torch.tensor([[0.3, -0.7]], dtype=torch.float64)
    encoded = frequency_encoding(x, 3)
    expected = [x]
    for wave in (torch.sin, torch.cos):
        for index in range(2):
            expected += [
                wave(torch.pi * 2**k * x[:, [index]]) for k in range(3)
            ]
    torch.testing.assert_close(encoded, torch.cat(expected, -1))


@pytest.mark.parametrize(
    'wrong, why',
    [
        (dict(conditioning='cross'), "'cross' must be one of"),
        (dict(activation='exp'), "activation='exp'"),
        (dict(skip=3), 'skip=3 is none of the layers 1 to 2'),
        (dict(skip=0), 'skip=0'),
    ],
)
def test_options_that_there_are_not_are_refused(wrong, why):
    with pytest.raises(ValueError, match=why):
        make(**wrong)


def test_tokens_that_do_not_fill_their_grid_are_refused():
    image, *_ = inputs()
    with pytest.raises(ValueError, match='for a grid of'):
        make().conditioned(image._replace(grid=(2, 2)))

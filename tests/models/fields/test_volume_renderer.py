"""Renderings against a ray by ray reference, and what physics says of them."""

import math

import pytest
import torch

from mmd2a.geometry import (
    normalize_keypoints2d,
    project_points,
    weak_perspective_project,
)
from mmd2a.models.fields import View, VolumeRenderer

DOUBLE = torch.float64


def blobs(points, directions):
    """A smooth field without symmetry that depends on the direction."""
    x, y, z = points.unbind(-1)
    near = (x - 0.2) ** 2 + (y + 0.1) ** 2 * 2 + (z - 0.3) ** 2
    density = 6 * torch.exp(-6 * near) + 2 * torch.exp(-9 * (z + 0.4) ** 2)
    directions = directions.expand_as(points)
    features = torch.cat([points.sin(), directions, (2 * points).cos()], -1)
    return density, features


def render_slowly(field, sample, renderer):
    """One sample, one ray, one bin at a time, from the formulas alone.

    ``sample``: yaw, pivot (3,) and eye (3,) or None. Field points come from
    moving the camera about the pivot, not from turning the person.
    """
    yaw, pivot, eye = sample
    cos, sin = math.cos(yaw), math.sin(yaw)

    def to_world(q):
        x, y, z = (a - b for a, b in zip(q, pivot))
        turned = (cos * x + sin * z, y, -sin * x + cos * z)
        return [a + b for a, b in zip(turned, pivot)]

    h, w = renderer.size
    rows = []
    for i in range(h):
        for j in range(w):
            x, y = (2 * j + 1) / w - 1, (2 * i + 1) / h - 1
            transmitted, opacity, z_sum, total = 1.0, 0.0, 0.0, 0.0
            for k in range(renderer.num_samples):
                width = (renderer.far - renderer.near) / renderer.num_samples
                z = renderer.near + (k + 0.5) * width
                here = (x, y, z)
                ahead = (x, y, z + 1)
                if eye is not None:
                    reach = [(z + d - eye[2]) / -eye[2] for d in (0, 1)]
                    here, ahead = (
                        (
                            eye[0] + (x - eye[0]) * r,
                            eye[1] + (y - eye[1]) * r,
                            z + d,
                        )
                        for d, r in enumerate(reach)
                    )
                p, q = (
                    torch.tensor(to_world(point), dtype=DOUBLE)
                    for point in (here, ahead)
                )
                length = (q - p).norm()
                density, feature = field(p, (q - p) / length)
                stopped = 1 - torch.exp(-density * length * width)
                weight = transmitted * stopped
                transmitted = transmitted * (1 - stopped)
                opacity = opacity + weight
                total = total + weight * feature
                z_sum = z_sum + weight * z
            rows.append((total, opacity, z_sum / opacity))
    features, opacity, depth = (torch.stack(part) for part in zip(*rows))
    return (
        features.T.reshape(-1, h, w),
        opacity.reshape(1, h, w),
        depth.reshape(1, h, w),
    )


SAMPLES = [
    (0.0, (0.0, 0.0, 0.0), (0.3, -0.2, -3.0)),
    (0.8, (0.2, 0.1, 0.0), (0.0, 0.4, -2.0)),
    (-2.4, (-0.3, 0.0, 0.1), (-0.5, 0.0, -9.0)),
]


def view_of(samples, perspective):
    yaw, pivot, eye = (
        torch.tensor(part, dtype=DOUBLE) for part in zip(*samples)
    )
    return View(yaw, pivot, eye if perspective else None)


@pytest.mark.parametrize('perspective', [False, True])
@pytest.mark.parametrize('chunk', [1, 70, 10**6])
def test_every_ray_is_as_the_formulas_have_it(perspective, chunk):
    renderer = VolumeRenderer((3, 4), 7, -0.9, 1.2, chunk).eval()
    seen = renderer.render(blobs, view_of(SAMPLES, perspective))
    for index, (yaw, pivot, eye) in enumerate(SAMPLES):
        slow = render_slowly(
            blobs, (yaw, pivot, eye if perspective else None), renderer
        )
        for fast, reference in zip(seen, slow):
            torch.testing.assert_close(
                fast[index], reference, atol=1e-9, rtol=0
            )


@pytest.mark.parametrize('training', [True, False])
def test_constant_density_is_exponential_whatever_the_samples(training):
    """Also with random samples, and along the slanted rays of an eye."""
    eye = torch.tensor([[0.0, 0.0, -2.0]], dtype=DOUBLE)
    view = View(torch.zeros(1, dtype=DOUBLE), eye=eye)
    for samples in (1, 5, 64):
        renderer = VolumeRenderer(5, samples, -1, 0.5).train(training)
        seen = renderer.render(
            lambda p, d: (torch.full_like(p[..., 0], 1.7), p), view
        )
        _, step = renderer.rays(view)
        length = 1.5 * step.norm(dim=-1).reshape(1, 1, 5, 5)
        torch.testing.assert_close(
            1 - seen.opacity, torch.exp(-1.7 * length), atol=1e-12, rtol=0
        )


def test_gradients_are_right():
    renderer = VolumeRenderer(2, 3, chunk=6).eval()
    torch.manual_seed(0)
    density = torch.rand(2, 12, dtype=DOUBLE, requires_grad=True)
    features = torch.randn(2, 12, 2, dtype=DOUBLE, requires_grad=True)
    view = View(torch.zeros(2, dtype=DOUBLE))
    yaw = torch.tensor([0.3, -1.0], dtype=DOUBLE, requires_grad=True)

    def table(density, features):
        def field(points, directions):
            # Which row a point is in; chunks ask for one ray at a time.
            column = ((points[..., 0] + 1) / 2 * 2).long()
            row = ((points[..., 1] + 1) / 2 * 2).long()
            bin_ = ((points[..., 2] + 1) / 2 * 3).long()
            place = (row * 2 + column) * 3 + bin_
            each = torch.arange(2)[:, None, None]
            return density[each, place], features[each, place]

        return tuple(renderer.render(field, view))

    assert torch.autograd.gradcheck(table, (density, features))
    assert torch.autograd.gradcheck(
        lambda yaw: tuple(renderer.render(blobs, View(yaw))), (yaw,)
    )


def test_weights_never_exceed_one_and_nothing_renders_nothing():
    torch.manual_seed(0)
    renderer = VolumeRenderer(6, 16)
    ones = torch.ones
    for scale in (1e-3, 1.0, 1e3, 1e30):
        seen = renderer.render(
            lambda p, d, s=scale: (
                s * torch.rand(p.shape[:-1]),
                ones(*p.shape[:-1], 1),
            ),
            View(torch.rand(3)),
        )
        # Features of 1 add up to the weights.
        assert seen.features.max() <= 1 + 1e-6
        torch.testing.assert_close(seen.features, seen.opacity)
        assert seen.depth.isfinite().all()
    empty = renderer.render(
        lambda p, d: (torch.zeros_like(p[..., 0]), p), View(torch.rand(3))
    )
    assert not any(part.any() for part in empty)


@pytest.mark.parametrize('training', [True, False])
@pytest.mark.parametrize('samples', [1, 8, 200])
def test_an_opaque_plane_is_where_it_is(training, samples):
    """The same pixels whatever the samples; depth right to one of them.

    To two while training, when the one in the plane's bin may lie before it.
    """
    place = -0.35

    def plane(points, directions):
        density = torch.where(points[..., 2] >= place, 1e9, 0.0)
        return density, points[..., :2]

    renderer = VolumeRenderer(4, samples).train(training)
    torch.manual_seed(1)
    seen = renderer.render(plane, View(torch.zeros(1)))
    hit = seen.opacity > 0.5
    if not training or samples > 1:  # one random sample may lie before it
        assert hit.all()
    torch.testing.assert_close(
        seen.opacity[hit], torch.ones_like(seen.opacity[hit])
    )
    grid = torch.tensor([-0.75, -0.25, 0.25, 0.75])
    if hit.all():
        torch.testing.assert_close(seen.features[0, 0], grid.expand(4, 4))
    error = (seen.depth[hit] - place).abs()
    assert error.max() <= (1 + training) * 2 / samples + 1e-6


@pytest.mark.parametrize('chunk', [1, 40, 63])
def test_chunks_change_neither_values_nor_gradients(chunk):
    """Also in training: the random samples are drawn for all at once."""
    results = []
    for size in (chunk, 10**6):
        gain = torch.tensor(1.3, dtype=DOUBLE, requires_grad=True)
        renderer = VolumeRenderer(4, 5, chunk=size).train()
        torch.manual_seed(0)

        def brighter(points, directions, gain=gain):
            density, features = blobs(points, directions)
            return gain * density, gain**2 * features

        seen = renderer.render(brighter, view_of(SAMPLES, True))
        (gradient,) = torch.autograd.grad(seen.features.square().sum(), gain)
        results.append((*seen, gradient))
    for part, whole in zip(*results):
        torch.testing.assert_close(part, whole, atol=1e-9, rtol=0)


def test_chunks_bound_what_is_kept_for_the_backward_pass():
    asked = []

    def field(points, directions):
        asked.append(points[0, ..., 0].numel())
        return blobs(points, directions)

    VolumeRenderer(8, 4, chunk=64).render(field, View(torch.zeros(2)))
    assert max(asked) <= 32 and sum(asked) == 8 * 8 * 4


def test_the_canonical_map_lies_on_the_grid_of_the_image():
    """A spot of the crop is in the cell that shows it, near or far."""
    renderer = VolumeRenderer((6, 9), 4).eval()
    start, step = renderer.rays(View(torch.zeros(1)))
    rows, columns = torch.meshgrid(
        torch.arange(6.0), torch.arange(9.0), indexing='ij'
    )
    pixels = torch.stack([columns, rows], -1).reshape(-1, 2)
    expected = normalize_keypoints2d(pixels, (9, 6))
    torch.testing.assert_close(start[0, :, :2], expected)
    assert torch.equal(step[0], torch.tensor([0.0, 0, 1]).expand(54, 3))


def test_the_perspective_rays_pass_through_what_the_camera_projects():
    """A person 4 m away, seen by the camera of an off-centre crop."""
    K = torch.tensor([[[300.0, 0, 90], [0, 300, 20], [0, 0, 1]]]).double()
    size, root = 64, torch.tensor([0.3, -0.2, 4.0]).double()
    view = View(torch.zeros(1).double()).through(K, (size, size))
    renderer = VolumeRenderer(size, 4)
    start, step = renderer.rays(view)
    # Metres per half-width at the root's distance.
    unit = root[2] * size / (2 * K[0, 0, 0])
    depth = torch.linspace(-0.8, 0.8, 5).double()
    points = start[0, :, None] + step[0, :, None] * depth[:, None]
    camera = (points - view.eye[0]) * unit
    pixels = project_points(camera.reshape(-1, 3), K[0])
    crop = normalize_keypoints2d(pixels, (size, size))
    torch.testing.assert_close(
        crop.reshape(-1, 5, 2), start[0, :, None, :2].expand(-1, 5, -1)
    )


def test_a_view_is_of_the_person_turned_about_the_pivot():
    """A dense spot is where weak perspective shows the turned spot."""
    yaw, pivot = torch.tensor([0.9]).double(), torch.tensor([[0.3, 0, 0.0]])
    spot = torch.tensor([0.55, -0.3, 0.2]).double()

    def field(points, directions):
        near = (points - spot).square().sum(-1)
        return 50 * torch.exp(-60 * near), points

    renderer = VolumeRenderer(40, 40).eval()
    seen = renderer.render(field, View(yaw, pivot.double()))
    share = seen.opacity[0, 0] / seen.opacity.sum()
    axis = (2 * torch.arange(40) + 1) / 40 - 1
    middle = torch.stack(
        [(share.sum(0) * axis).sum(), (share.sum(1) * axis).sum()]
    )
    x, y, z = spot - pivot[0]
    turned = torch.stack([yaw[0].cos() * x - yaw[0].sin() * z, y, z])
    camera = torch.tensor([1.0, 0.3, 0.0]).double()
    expected = weak_perspective_project(turned[None], camera)[0]
    torch.testing.assert_close(middle, expected, atol=5e-3, rtol=0)


def test_samples_are_random_in_training_only():
    renderer, view = VolumeRenderer(3, 4), View(torch.zeros(1))
    first, second = (renderer.render(blobs, view).depth for _ in range(2))
    assert not torch.equal(first, second)
    renderer.eval()
    first, second = (renderer.render(blobs, view).depth for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    'view, why',
    [
        (View(torch.tensor([0.0, torch.nan])), 'yaw must be finite'),
        (View(torch.tensor([torch.inf])), 'yaw must be finite'),
        (View(torch.zeros(0)), r'B > 0, got yaw of shape \(0,\)'),
        (View(torch.tensor(0.0)), r'got yaw of shape \(\)'),
        (View(torch.zeros(1), eye=torch.zeros(1, 3)), 'before near=-1'),
    ],
)
def test_views_that_give_no_picture_are_refused(view, why):
    with pytest.raises(ValueError, match=why):
        VolumeRenderer(2, 2).render(blobs, view)


@pytest.mark.parametrize(
    'wrong, why',
    [
        (dict(num_samples=0), 'num_samples=0'),
        (dict(chunk=0), 'chunk=0'),
        (dict(near=1.0), 'nearer than far'),
    ],
)
def test_volumes_without_samples_are_refused(wrong, why):
    with pytest.raises(ValueError, match=why):
        VolumeRenderer(**wrong)

"""Cameras as PyTorch3D defines them, against projections by hand."""

import copy

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer import (
    cameras as module,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.cameras import (
    CamerasBase,
    FoVOrthographicCameras,
    FoVPerspectiveCameras,
    OrthographicCameras,
    PerspectiveCameras,
    get_ndc_to_screen_transform,
    get_screen_to_ndc_transform,
)

N, P = 3, 7
HEIGHT, WIDTH = 480.0, 640.0
SIZE = torch.tensor([[HEIGHT, WIDTH]], dtype=torch.float64)


def double(values):
    return torch.tensor(values, dtype=torch.float64)


def assert_close(found, expected, atol=1e-9):
    torch.testing.assert_close(
        found, torch.as_tensor(expected, dtype=found.dtype), rtol=0, atol=atol
    )


@pytest.fixture
def points():
    """Points in the world, in front of all cameras."""
    return torch.rand(
        N,
        P,
        3,
        dtype=torch.float64,
        generator=torch.Generator().manual_seed(0),
    )


@pytest.fixture
def pose():
    rotation = Rotation.from_rotvec(
        [[0.1, 0.2, 0.3], [0, 0, 0], [-0.4, 0.1, 0.2]]
    )
    return dict(
        R=double(rotation.as_matrix()),
        T=double([[0.0, 0.1, 3.0], [0, 0, 2], [-0.2, 0, 4]]),
    )


@pytest.fixture
def view(points, pose):
    """The points in view space: +x left, +y up, +z forward."""
    return np.stack(
        [
            x @ R + t
            for x, R, t in zip(
                points.numpy(), pose['R'].numpy(), pose['T'].numpy()
            )
        ]
    )


def lens(scale):
    """Focal lengths and principal points, in units of NDC or of pixels."""
    focal = double([[1.5, 1.2], [2.0, 2.0], [1.0, 3.0]]) * scale
    centre = double([[0.1, -0.2], [0.0, 0.0], [0.3, 0.05]])
    return dict(focal_length=focal, principal_point=centre)


def in_ndc(kind, pose):
    return kind(**lens(1), **pose, image_size=SIZE)


def in_pixels(kind, pose):
    """The same cameras, defined by pixels of the image."""
    half = HEIGHT / 2
    values = lens(half)
    values['principal_point'] = (
        double([WIDTH, HEIGHT]) / 2 - half * values['principal_point']
    )
    return kind(**values, **pose, image_size=SIZE, in_ndc=False)


CALIBRATED = [PerspectiveCameras, OrthographicCameras]
SEEN = [FoVPerspectiveCameras, FoVOrthographicCameras]


def test_perspective_is_focal_length_over_depth(points, pose, view):
    values = {key: value.numpy()[:, None] for key, value in lens(1).items()}
    expected = (
        values['focal_length'] * view[..., :2] / view[..., 2:]
        + values['principal_point']
    )
    projected = in_ndc(PerspectiveCameras, pose).transform_points(points)
    assert_close(projected[..., :2], expected)
    assert_close(projected[..., 2], 1 / view[..., 2])


def test_orthographic_ignores_depth(points, pose, view):
    values = {key: value.numpy()[:, None] for key, value in lens(1).items()}
    expected = (
        values['focal_length'] * view[..., :2] + values['principal_point']
    )
    projected = in_ndc(OrthographicCameras, pose).transform_points(points)
    assert_close(projected[..., :2], expected)
    assert_close(projected[..., 2], view[..., 2])


def test_pixels_agree_with_opencv(points, pose, view):
    """OpenCV's frame has +x right, +y down."""
    camera = in_pixels(PerspectiveCameras, pose)
    focal = camera.focal_length.numpy()[:, None]
    centre = camera.principal_point.numpy()[:, None]
    right_down = -view[..., :2] / view[..., 2:]
    assert_close(
        camera.transform_points_screen(points)[..., :2],
        focal * right_down + centre,
    )


@pytest.mark.parametrize('kind', CALIBRATED)
def test_cameras_in_pixels_and_in_ndc_see_the_same(kind, points, pose):
    by_ndc, by_pixels = in_ndc(kind, pose), in_pixels(kind, pose)
    assert by_ndc.in_ndc() and not by_pixels.in_ndc()
    assert_close(
        by_pixels.transform_points_ndc(points),
        by_ndc.transform_points_ndc(points),
    )
    assert_close(
        by_pixels.transform_points_screen(points),
        by_ndc.transform_points_screen(points),
    )


@pytest.mark.parametrize('make', [in_ndc, in_pixels])
@pytest.mark.parametrize('kind', CALIBRATED)
def test_a_matrix_does_what_focal_lengths_do(kind, make, points, pose):
    camera = make(kind, pose)
    K = camera.get_projection_transform().get_matrix().mT
    by_matrix = kind(K=K, in_ndc=camera.in_ndc(), image_size=SIZE, **pose)
    assert_close(
        by_matrix.transform_points(points), camera.transform_points(points)
    )
    assert_close(
        by_matrix.transform_points_screen(points),
        camera.transform_points_screen(points),
    )


def test_one_focal_length_may_stand_for_all(points, pose):
    for focal in (2.0, [2.0, 2.0, 2.0], [[2.0, 2.0]], np.float32(2)):
        camera = PerspectiveCameras(focal_length=focal, **pose)
        assert len(camera) == N
        assert_close(
            camera.get_projection_transform().get_matrix()[:, 0, 0], [2.0] * N
        )


MAKERS = [
    *(
        pytest.param(lambda pose, k=kind: in_ndc(k, pose), id=kind.__name__)
        for kind in CALIBRATED
    ),
    *(
        pytest.param(
            lambda pose, k=kind: in_pixels(k, pose),
            id=f'{kind.__name__}-pixels',
        )
        for kind in CALIBRATED
    ),
]


@pytest.mark.parametrize('kind', CALIBRATED)
def test_one_camera_takes_points_without_a_batch(kind, points):
    camera = kind()
    points = points[0].float() + 2
    projected = camera.transform_points(points)
    assert projected.shape == (P, 3)


def test_many_cameras_see_the_same_points(points, pose):
    camera = in_ndc(PerspectiveCameras, pose)
    seen = camera.transform_points_screen(points[0])
    assert seen.shape == (N, P, 3)
    assert_close(
        seen, camera.transform_points_screen(points[:1].expand(N, P, 3))
    )


def test_shorter_side_of_the_image_spans_one():
    camera = PerspectiveCameras()
    corners = torch.tensor([[0.0, 0.0, 5.0], [WIDTH, HEIGHT, 5.0]])
    to_ndc = get_screen_to_ndc_transform(
        camera, with_xyflip=True, image_size=(HEIGHT, WIDTH)
    )
    expected = [[4 / 3, 1.0, 5.0], [-4 / 3, -1.0, 5.0]]
    assert_close(to_ndc.transform_points(corners), expected, 1e-6)
    upright = get_ndc_to_screen_transform(
        camera, with_xyflip=True, image_size=(WIDTH, HEIGHT)
    )
    assert_close(
        upright.transform_points(torch.tensor([[1.0, 4 / 3, 0.0]])),
        torch.zeros(1, 3),
        1e-4,
    )


def test_without_the_flip_pixels_are_mirrored(points, pose):
    camera = in_ndc(PerspectiveCameras, pose)
    mirrored = camera.transform_points_screen(points, with_xyflip=False)
    assert_close(
        camera.transform_points_screen(points)[..., :2], -mirrored[..., :2]
    )


def test_image_size_can_be_given_with_the_points(points, pose):
    camera = PerspectiveCameras(**lens(1), **pose)
    with pytest.raises(ValueError, match=r'image_size=\(height, width\)'):
        camera.transform_points_screen(points)
    assert_close(
        camera.transform_points_screen(points, image_size=(HEIGHT, WIDTH)),
        in_ndc(PerspectiveCameras, pose).transform_points_screen(points),
    )


def test_a_pose_given_with_the_points_stays(points, pose, view):
    camera = OrthographicCameras(focal_length=torch.ones(N).double())
    assert_close(camera.transform_points(points, **pose), view)
    assert_close(camera.transform_points(points), view)


@pytest.mark.parametrize('make', MAKERS)
def test_gradients_reach_points_and_pose(make, points, pose):
    leaves = [value.requires_grad_() for value in (points, *pose.values())]

    def project(points, R, T):
        camera = make(dict(R=R, T=T))
        return camera.transform_points_screen(points, image_size=SIZE)

    assert torch.autograd.gradcheck(project, leaves)


def test_cameras_of_different_batch_sizes_do_not_mix():
    with pytest.raises(ValueError, match='do not fit together'):
        PerspectiveCameras(R=torch.eye(3).repeat(2, 1, 1), T=torch.zeros(3, 3))


@pytest.mark.parametrize('kind', CALIBRATED)
def test_wrong_matrices_and_sizes_are_named(kind):
    with pytest.raises(ValueError, match=r'K of shape \(1, 4, 4\)'):
        kind(K=torch.eye(3)[None]).transform_points(torch.ones(1, 3))
    with pytest.raises(ValueError, match='pixels'):
        kind(image_size=((0, 10),))


@pytest.mark.parametrize('kind', SEEN)
def test_fields_of_view_are_matrices(kind, points, pose, view):
    K = torch.eye(4).double().repeat(N, 1, 1)
    K[:, 0, 0] = 2.0
    camera = kind(**pose, K=K)
    expected = view * [2.0, 1.0, 1.0]
    assert_close(camera.transform_points(points), expected)
    assert camera.in_ndc()
    with pytest.raises(ImportError, match='pytorch3d is not installed: pip'):
        kind(**pose, K=None).transform_points(points)


@pytest.mark.parametrize('name', ['unproject_points', 'get_camera_center'])
def test_what_nothing_of_mmhuman3d_enters_needs_pytorch3d(name, pose):
    camera = in_ndc(PerspectiveCameras, pose)
    with pytest.raises(ImportError, match=f'{name} was used, but pytorch3d'):
        getattr(camera, name)(torch.zeros(1, 3))
    with pytest.raises(ImportError, match='look_at_view_transform was used'):
        module.look_at_view_transform(dist=2.0)


def test_cameras_are_modules_that_move_and_copy(pose):
    camera = in_ndc(PerspectiveCameras, pose)
    parent = torch.nn.ModuleList([camera])
    assert camera.state_dict() == {} and not list(camera.parameters())
    other = copy.deepcopy(camera)
    parent.to('meta', torch.float32)
    assert camera.R.device == camera.device == torch.device('meta')
    assert camera.focal_length.dtype == torch.float32
    assert other.R.device == other.device == torch.device('cpu')
    assert camera.in_ndc() is True and len(camera) == N


def test_a_camera_is_told_apart_from_its_kin():
    kinds = CALIBRATED + SEEN
    eye = dict(R=torch.eye(3)[None], T=torch.zeros(1, 3))
    assert all(issubclass(kind, CamerasBase) for kind in kinds)
    assert [kind(**eye).is_perspective() for kind in kinds] == [
        True,
        False,
        True,
        False,
    ]
    assert set(module.__all__) <= set(vars(module))

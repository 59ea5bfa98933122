"""Cameras as PyTorch3D defines them, against projections by hand."""

import copy
import math

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
    camera_position_from_spherical_angles,
    get_ndc_to_screen_transform,
    get_screen_to_ndc_transform,
    look_at_rotation,
    look_at_view_transform,
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


def test_field_of_view_is_vertical_and_ends_at_one():
    camera = FoVPerspectiveCameras(
        fov=50.0, aspect_ratio=2.0, znear=0.5, zfar=20.0
    )
    edge = math.tan(math.radians(25))
    points = torch.tensor(
        [
            [2 * edge, edge, 1.0],
            [-20 * edge, 10 * edge, 10.0],
            [0.0, 0.0, 0.5],
            [0.0, 0.0, 20.0],
        ]
    )
    projected = camera.transform_points(points)
    assert_close(projected[:2, :2], [[1.0, 1.0], [-1.0, 1.0]], 1e-6)
    assert_close(projected[2:, 2], [0.0, 1.0], 1e-6)
    radians = FoVPerspectiveCameras(
        fov=math.radians(50),
        degrees=False,
        aspect_ratio=2.0,
        znear=0.5,
        zfar=20.0,
    )
    assert_close(radians.transform_points(points), projected, 1e-5)


def test_orthographic_box_ends_at_one():
    camera = FoVOrthographicCameras(
        znear=0.5, zfar=2.5, max_x=3.0, min_x=1.0, max_y=2.0, min_y=-2.0
    )
    corners = torch.tensor([[3.0, 2.0, 0.5], [1.0, -2.0, 2.5]])
    assert_close(
        camera.transform_points(corners),
        [[1.0, 1.0, 0.0], [-1.0, -1.0, 1.0]],
        1e-6,
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
    *(
        pytest.param(lambda pose, k=kind: k(**pose), id=kind.__name__)
        for kind in SEEN
    ),
]


@pytest.mark.parametrize('in_world', [True, False])
@pytest.mark.parametrize('make', MAKERS)
def test_unprojecting_undoes_projecting(make, in_world, points, pose, view):
    camera = make(pose)
    projected = camera.transform_points(points)
    depth = torch.cat([projected[..., :2], double(view[..., 2:])], dim=-1)
    assert_close(
        camera.unproject_points(depth, world_coordinates=in_world),
        points if in_world else view,
    )


@pytest.mark.parametrize('kind', CALIBRATED)
def test_points_in_ndc_are_lifted_by_cameras_in_pixels(
    kind, points, pose, view
):
    camera = in_pixels(kind, pose)
    projected = camera.transform_points_ndc(points)
    depth = torch.cat([projected[..., :2], double(view[..., 2:])], dim=-1)
    assert_close(camera.unproject_points(depth, from_ndc=True), points)


@pytest.mark.parametrize('kind', SEEN)
def test_depth_between_planes_is_lifted_as_it_is_projected(kind, points, pose):
    camera = kind(**pose)
    assert_close(
        camera.unproject_points(
            camera.transform_points(points), scaled_depth_input=True
        ),
        points,
    )


@pytest.mark.parametrize('kind', CALIBRATED + SEEN)
def test_one_camera_takes_points_without_a_batch(kind, points):
    camera = kind()
    points = points[0].float() + 2
    projected = camera.transform_points(points)
    assert projected.shape == (P, 3)
    depth = torch.cat([projected[:, :2], points[:, 2:]], dim=-1)
    assert_close(camera.unproject_points(depth), points, 1e-5)


def test_many_cameras_see_the_same_points(points, pose):
    camera = in_ndc(PerspectiveCameras, pose)
    seen = camera.transform_points_screen(points[0])
    assert seen.shape == (N, P, 3)
    assert_close(
        seen, camera.transform_points_screen(points[:1].expand(N, P, 3))
    )
    depth = torch.cat([seen[..., :2], points[:1, :, 2:].expand(N, P, 1)], -1)
    assert camera.unproject_points(depth[0]).shape == (N, P, 3)
    assert FoVPerspectiveCameras(**pose).unproject_points(depth[0]).shape == (
        N,
        P,
        3,
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


def test_camera_centre_is_where_view_space_begins(pose):
    camera = in_ndc(PerspectiveCameras, pose)
    centre = camera.get_camera_center()
    assert_close(
        camera.get_world_to_view_transform().transform_points(centre[:, None]),
        torch.zeros(N, 1, 3),
    )


@pytest.mark.parametrize('make', MAKERS)
def test_gradients_reach_points_and_pose(make, points, pose):
    leaves = [value.requires_grad_() for value in (points, *pose.values())]

    def project(points, R, T):
        camera = make(dict(R=R, T=T))
        return camera.transform_points_screen(points, image_size=SIZE)

    assert torch.autograd.gradcheck(project, leaves)


def test_looking_at_a_point_puts_it_in_the_middle():
    eyes = torch.randn(20, 3, generator=torch.Generator().manual_seed(0)) * 3
    target = torch.tensor([[0.3, -0.2, 0.5]])
    R, T = look_at_view_transform(eye=eyes, at=target)
    camera = PerspectiveCameras(R=R, T=T)
    seen = camera.get_world_to_view_transform().transform_points(target)
    distance = (eyes - target).norm(dim=1)
    assert_close(seen[:, 0, :2], torch.zeros(20, 2), 1e-5)
    assert_close(seen[:, 0, 2], distance, 1e-5)
    assert_close(camera.get_camera_center(), eyes, 1e-5)
    # What is above in the world is above in the image, and nothing is tilted.
    above = camera.transform_points(target + torch.tensor([[0.0, 0.1, 0.0]]))
    assert (above[:, 0, 1] > 0).all()
    assert_close(above[:, 0, 0], torch.zeros(20), 1e-5)


def test_spherical_angles_go_up_and_around():
    position = camera_position_from_spherical_angles(
        2.0,
        torch.tensor([0.0, 90.0, 0.0, 30.0]),
        torch.tensor([0.0, 0.0, 90.0, 0.0]),
    )
    assert_close(
        position, [[0, 0, 2], [0, 2, 0], [2, 0, 0], [0, 1, math.sqrt(3)]], 1e-6
    )
    assert_close(
        camera_position_from_spherical_angles(
            2.0, 0.0, math.pi / 2, degrees=False
        ),
        [[2.0, 0.0, 0.0]],
        1e-6,
    )
    R, T = look_at_view_transform(
        dist=2.0, elev=20.0, azim=[0.0, 50.0, 100.0], at=((1.0, 2.0, 3.0),)
    )
    assert_close(
        PerspectiveCameras(R=R, T=T).get_camera_center(),
        camera_position_from_spherical_angles(2.0, 20.0, [0.0, 50.0, 100.0])
        + torch.tensor([1.0, 2.0, 3.0]),
        1e-5,
    )


@pytest.mark.parametrize(
    'eye', [(0.0, 5.0, 0.0), (0.0, -5.0, 0.0), (0.0, 0.0, 1.0)]
)
def test_looking_straight_down_is_a_rotation_too(eye):
    R = look_at_rotation(eye)[0]
    assert_close(R.T @ R, torch.eye(3), 1e-6)
    assert_close(torch.linalg.det(R), 1.0, 1e-6)
    assert_close(R[:, 2], -torch.tensor(eye) / torch.tensor(eye).norm(), 1e-6)


def test_cameras_of_different_batch_sizes_do_not_mix():
    with pytest.raises(ValueError, match='do not fit together'):
        PerspectiveCameras(R=torch.eye(3).repeat(2, 1, 1), T=torch.zeros(3, 3))


@pytest.mark.parametrize('kind', CALIBRATED + SEEN)
def test_wrong_matrices_and_sizes_are_named(kind):
    with pytest.raises(ValueError, match=r'K of shape \(1, 4, 4\)'):
        kind(K=torch.eye(3)[None]).transform_points(torch.ones(1, 3))
    if kind in CALIBRATED:
        with pytest.raises(ValueError, match='pixels'):
            kind(image_size=((0, 10),))


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
    assert all(issubclass(kind, CamerasBase) for kind in kinds)
    assert [kind().is_perspective() for kind in kinds] == [
        True,
        False,
        True,
        False,
    ]
    assert set(module.__all__) <= set(vars(module))

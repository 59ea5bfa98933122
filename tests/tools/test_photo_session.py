"""Photographs with a reference: geometry on a scene that is known."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement
from photo_measures import measure, measure_constant, table
from photo_session import (
    BODY_25B,
    SHA256,
    WHEEL,
    Camera,
    box_of_joints,
    check_wheel,
    main_person,
    read_calibration,
    triangulate,
)

from mmd2a.body_models.joint_sets import joint_names
from mmd2a.cli.tool_config import UsageError
from mmd2a.datasets import BodyDataset
from mmd2a.geometry import project_points, root_position
from mmd2a.geometry.cameras import normalize_keypoints2d
from mmd2a.structures import BodyDataSample

ROOT = Path(__file__).parents[2]
NAMES = joint_names('h36m14')
ROOT_IDS = [NAMES.index('left_hip'), NAMES.index('right_hip')]
SIZE = (640, 480)


def camera_at(place):
    """A camera that looks at the origin; z of the room is up."""
    place = np.asarray(place, float)
    forward = -place / np.linalg.norm(place)
    right = np.cross(forward, [0, 0, 1])
    right /= np.linalg.norm(right)
    R = np.stack([right, np.cross(forward, right), forward])
    K = np.array([[700.0, 0, 320], [0, 700, 240], [0, 0, 1]])
    return Camera(K, R, -R @ place)


@pytest.fixture
def cameras():
    return [camera_at(p) for p in ([4, 0, 1], [-2, 4, 1.5], [-2, -4, 2])]


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform(-0.8, 0.8, (12, 3))


def test_points_are_where_three_cameras_see_them(cameras, points):
    seen = np.stack([camera.project(points) for camera in cameras])
    found, residual = triangulate(seen, np.ones((3, 12)), cameras)
    np.testing.assert_allclose(found, points, atol=1e-9)
    assert residual.max() < 1e-6
    # The origin is in the middle of each picture, what is higher is above.
    for camera in cameras:
        middle, above = camera.project(np.array([[0, 0, 0], [0, 0, 0.1]]))
        np.testing.assert_allclose(middle, [320, 240], atol=1e-9)
        assert above[1] < middle[1]


def test_a_view_that_is_not_sure_does_not_count(cameras, points):
    seen = np.stack([camera.project(points) for camera in cameras])
    confidence = np.ones((3, 12))
    seen[1, 3] += 200
    confidence[1, 3] = 0.3
    confidence[:2, 5] = 0.1
    found, residual = triangulate(seen, confidence, cameras)
    np.testing.assert_allclose(found[3], points[3], atol=1e-9)
    assert np.isnan(found[5]).all() and np.isnan(residual[5])


def test_a_slip_of_the_detector_shows_in_the_residual(cameras, points):
    seen = np.stack([camera.project(points) for camera in cameras])
    seen[2, 7] += [0, 60]
    _, residual = triangulate(seen, np.ones((3, 12)), cameras)
    assert residual[7] > 20
    assert np.delete(residual, 7).max() < 1e-6


def test_a_calibration_is_read_in_its_own_frame(cameras):
    """y up, z backward, millimetres, 64ths of a pixel."""
    camera = cameras[1]
    R = np.diag([1, -1, -1]) @ camera.R
    turn = (
        ' '.join(
            f'r{i + 1}{j + 1}="{R[i, j]!r}"'
            for i in range(3)
            for j in range(3)
        )
        .replace('np.float64(', '')
        .replace(')', '')
    )
    x, y, z = (1000 * -camera.R.T @ camera.t).tolist()
    text = (
        '<calibration><cameras><camera>'
        f'<transform {turn} x="{x}" y="{y}" z="{z}"/>'
        f'<intrinsic focalLengthU="{700 * 64}" focalLengthV="{700 * 64}" '
        f'centerPointU="{320 * 64}" centerPointV="{240 * 64}"/>'
        '</camera></cameras></calibration>'
    )
    [read] = read_calibration(text.encode())
    for name in ('K', 'R', 't'):
        np.testing.assert_allclose(
            getattr(read, name), getattr(camera, name), atol=1e-9
        )


def test_the_box_holds_the_joints_that_were_found():
    joints = np.array([[10, 20, 0.9], [110, 220, 0.8], [900, 900, 0.1]])
    assert box_of_joints(joints, (480, 640)) == [0, 10, 120, 230]


def test_the_person_with_the_surest_limbs_is_taken():
    rng = np.random.default_rng(0)
    people = [
        dict(pose_keypoints_2d=np.c_[rng.random((25, 2)), [[c]] * 25].ravel())
        for c in (0.4, 0.7, 0.5)
    ]
    assert main_person(people)[0, 2] == 0.7
    assert set(BODY_25B) == set(NAMES) - {'neck', 'head_top'}


@pytest.mark.parametrize('there', [False, True])
def test_what_is_not_the_wheel_is_refused_with_the_command(tmp_path, there):
    if there:
        (tmp_path / WHEEL).write_bytes(b'PK')
    with pytest.raises(UsageError, match='pip download --no-deps') as error:
        check_wheel(tmp_path / WHEEL)
    assert '\n' not in str(error.value) and len(SHA256) == 64


@pytest.fixture
def scene(body, cameras):
    """One body before three cameras: samples with perfect predictions."""
    with torch.no_grad():
        pose = 0.3 * torch.randn(
            1, 69, generator=torch.Generator().manual_seed(0)
        )
        # Its y axis is up, that of the room is z.
        orient = torch.tensor([[np.pi / 2, 0, 0]], dtype=torch.float32)
        vertices = body(orient, pose, torch.zeros(1, 10)).vertices[0]
    samples = []
    for camera in cameras:
        seen = torch.as_tensor(camera.see(vertices.numpy())).float()
        joints = body.regress_joints(seen[None], 'h36m14')[0]
        root = root_position(joints, ROOT_IDS)
        pixels = project_points(joints, torch.as_tensor(camera.K).float())
        places = normalize_keypoints2d(pixels, SIZE)
        sample = BodyDataSample(
            metainfo=dict(
                img_shape=SIZE[::-1],
                bbox=np.array([100.0, 50, 400, 450]),
                crop_matrix=np.eye(3)[:2],
            )
        )
        sample.gt = BaseDataElement(
            keypoints3d=joints,
            keypoints3d_weight=torch.ones(14),
            keypoints2d=places,
            keypoints2d_weight=torch.ones(14),
        )
        sample.pred = BaseDataElement(
            vertices=seen - root, keypoints2d=places.clone()
        )
        samples.append(sample)
    return samples


def test_what_is_right_has_no_error_and_one_pose_from_all_sides(
    scene, body, cameras
):
    mean = measure(scene, body, ROOT_IDS, cameras).mean
    for name in ('MPJPE', 'PA-MPJPE', 'MPJPE-z', '2-D', 'cross-view'):
        assert mean[name] == pytest.approx(0, abs=0.01), name
    assert mean['PCK@0.2'] == 1 and 'coverage-1' not in mean


def test_each_measure_tells_its_own_fault(scene, body, cameras):
    first = scene[0].pred
    first.vertices = first.vertices * 1.1  # too large
    first.keypoints2d = first.keypoints2d + 0.5  # 160 and 120 pixels off
    for sample, sigma in zip(scene, (1e-4, 1.0, 1.0)):
        sample.pred.sigma = torch.full((body.num_vertices,), sigma)
    values = measure(scene, body, ROOT_IDS, cameras).samples
    joints = scene[0].gt.keypoints3d
    away = (joints - root_position(joints, ROOT_IDS)).norm(dim=-1)
    assert values['MPJPE'][0] == pytest.approx(
        100 * away.mean().item(), rel=1e-3
    )
    assert values['PA-MPJPE'][0] < 0.01  # the size is aligned away
    assert values['PCK@0.2'].tolist() == [0, 1, 1]
    assert values['2-D'][0] == pytest.approx(50, rel=1e-3)  # 200 of 400
    assert values['coverage-2'][0] < 0.3
    assert values['coverage-1'][1:].tolist() == [1, 1]
    view = values['cross-view']
    assert view[0] == pytest.approx(values['MPJPE'][0], rel=1e-3)
    assert view[1] == pytest.approx(view[0] / 2, rel=1e-3)


def test_joints_that_the_reference_lacks_do_not_count(scene, body, cameras):
    for sample in scene:
        sample.gt.keypoints3d[5] = 1e3
        sample.gt.keypoints3d_weight[5] = 0
    scene[2].gt.keypoints3d_weight[ROOT_IDS[0]] = 0  # no root: nothing to say
    values = measure(scene, body, ROOT_IDS, cameras).samples
    assert max(values['MPJPE'][:2]) < 0.01
    assert np.isnan(values['MPJPE'][2])


def test_the_table_says_what_is_gained_on_the_constant(scene, body, cameras):
    joints = torch.zeros(14, 3, dtype=torch.float64)
    constant = measure_constant(scene, joints, ROOT_IDS)
    scene[0].pred.vertices = scene[0].pred.vertices * 1.5
    for sample in scene[1:]:
        sample.pred.vertices = sample.pred.vertices * 1.5
    text = table(measure(scene, body, ROOT_IDS, cameras), constant)
    [row] = [line for line in text.splitlines() if line.startswith('MPJPE ')]
    assert row.endswith('+50.0%')


def test_the_photo_of_the_docs_is_a_data_set_of_one():
    folder = ROOT / 'docs' / 'images'
    assert (folder / 'balancing.jpg').stat().st_size <= 150_000
    data = BodyDataset(
        ann_file=str(folder / 'balancing.json'),
        data_prefix=dict(img_path=str(folder)),
        pipeline=[
            dict(type='mmd2a.LoadFrame'),
            dict(type='mmd2a.PersonCrop', size=96),
            dict(type='mmd2a.PackBodySample'),
        ],
    )
    gt = data[0]['data_samples'].gt
    weight = gt.keypoints3d_weight
    assert weight.sum() == 12
    pixels = project_points(gt.keypoints3d, gt.K)
    found = normalize_keypoints2d(pixels, (96, 96))[weight > 0]
    torch.testing.assert_close(
        found, gt.keypoints2d[weight > 0], rtol=0, atol=1e-3
    )
    assert found.abs().max() < 1

import math

import cv2
import numpy as np
import pytest
import scipy.linalg
from hypothesis import given, settings
from hypothesis import strategies as st

from mmd2a.geometry import CropCamera

K = np.array([[1150.0, 0, 640], [0, 1150, 360], [0, 0, 1]])
CROPS = dict(
    center=st.tuples(st.floats(-200, 900), st.floats(-200, 700)),
    scale=st.floats(0.1, 20),
    rotation=st.floats(-math.pi, math.pi),
    flip=st.booleans(),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
crops = settings(max_examples=60, deadline=None)


def points(number=20):
    rng = np.random.default_rng(0)
    return rng.normal(size=(number, 3)) + [0, 0, 8]


def project(points, K):
    pixels = points @ K.T
    return pixels[:, :2] / pixels[:, 2:]


@crops
@given(crop=st.builds(CropCamera, **CROPS))
def test_the_crop_camera_sees_the_crop(crop):
    moved = points() @ crop.camera_motion.T
    expected = crop.to_crop(project(points(), K))
    tolerance = 1e-9 * max(1, np.abs(expected).max())
    np.testing.assert_allclose(
        project(moved, crop.intrinsics(K)), expected, rtol=0, atol=tolerance
    )


@crops
@given(crop=st.builds(CropCamera, **CROPS))
def test_image_and_crop_are_inverse(crop):
    pixels = project(points(), K)
    np.testing.assert_allclose(
        crop.to_image(crop.to_crop(pixels)), pixels, rtol=0, atol=1e-8
    )


@crops
@given(crop=st.builds(CropCamera, **CROPS))
def test_the_middle_of_the_window_is_the_middle_of_the_crop(crop):
    height, width = crop.size
    np.testing.assert_allclose(
        crop.to_crop(np.array([crop.center])),
        [[(width - 1) / 2, (height - 1) / 2]],
        rtol=0,
        atol=1e-9 * max(1, np.abs(crop.center).max() / crop.scale),
    )


@crops
@given(crop=st.builds(CropCamera, **CROPS))
def test_it_is_the_rq_factorisation_of_the_warped_camera(crop):
    warped = np.vstack([crop.matrix, [0, 0, 1]]) @ K
    upper, turn = scipy.linalg.rq(warped)
    sign = np.diag(np.sign(np.diag(upper)))
    upper, turn = upper @ sign, sign @ turn
    largest = np.abs(upper).max()
    np.testing.assert_allclose(
        crop.intrinsics(K), upper, rtol=0, atol=1e-9 * largest
    )
    np.testing.assert_allclose(
        crop.camera_motion, turn, rtol=0, atol=1e-9 * largest
    )


def test_a_turn_is_a_roll_and_a_mirror_a_mirrored_world():
    crop = CropCamera((50, 60), 2.0, 0.3, False, (96, 96))
    cos, sin = math.cos(0.3), math.sin(0.3)
    np.testing.assert_allclose(
        crop.camera_motion, [[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]
    )
    mirrored = CropCamera((50, 60), 2.0, 0.0, True, (96, 96))
    np.testing.assert_allclose(mirrored.camera_motion, np.diag([-1.0, 1, 1]))


@pytest.mark.parametrize('flip', [False, True])
def test_points_move_where_warp_affine_moves_pixels(flip):
    image = np.zeros((40, 40), np.float32)
    image[12, 25] = 1
    crop = CropCamera((19.5, 19.5), 1.0, math.pi / 2, flip, (40, 40))
    warped = cv2.warpAffine(image, crop.matrix, (40, 40))
    y, x = np.unravel_index(warped.argmax(), warped.shape)
    np.testing.assert_allclose(
        crop.to_crop(np.array([[25.0, 12.0]])), [[x, y]], atol=1e-6
    )

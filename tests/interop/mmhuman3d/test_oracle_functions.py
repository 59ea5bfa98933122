"""Functions of MMHuman3D give the numbers of the stack they were made for.

``native_stack.npz``: see ``test_oracle_hmr.py``. Keypoints are stored in
single precision, and only those that a convention knows.
"""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

import mmd2a  # noqa: F401  (activates the bridge)

pytest.importorskip('mmhuman3d')

# Random numbers that the inputs of HMR took before those of the metrics.
DRAWN_BEFORE = 4 * (3 * 224 * 224 + 54 * 3 + 54 * 4 + 23 * 3 + 3 + 10)


@pytest.fixture(scope='module')
def native():
    """What the native stack computed."""
    with np.load(
        Path(__file__).with_name('native_stack.npz'), allow_pickle=False
    ) as arrays:
        return dict(arrays)


@pytest.fixture(scope='module')
def poses():
    """Two sets of ten people of noise, and which joints count."""
    random = np.random.RandomState(1)
    random.randn(DRAWN_BEFORE)
    return (
        random.randn(10, 17, 3),
        random.randn(10, 17, 3),
        np.ones((10, 17), bool),
    )


def assert_close(found, expected, atol):
    np.testing.assert_allclose(np.asarray(found), expected, rtol=0, atol=atol)


@pytest.mark.parametrize('alignment', ['none', 'scale', 'procrustes'])
@pytest.mark.parametrize('metric', ['mpjpe', 'pck', 'auc'])
def test_metrics_are_those_of_the_native_stack(
    metric, alignment, poses, native
):
    from mmhuman3d.core import evaluation

    function = {
        'mpjpe': evaluation.keypoint_mpjpe,
        'pck': evaluation.keypoint_3d_pck,
        'auc': evaluation.keypoint_3d_auc,
    }[metric]
    assert_close(
        function(*poses, alignment), native[f'{metric}_{alignment}'], 1e-12
    )


@pytest.mark.parametrize(
    'convention', ['coco', 'smplx', 'mpi_inf_3dhp', 'smpl_54']
)
def test_keypoints_are_converted_as_in_the_native_stack(convention, native):
    from mmhuman3d.core.conventions.keypoints_mapping import (
        KEYPOINTS_FACTORY,
        convert_kps,
    )

    keypoints = np.random.RandomState(3).rand(
        2, len(KEYPOINTS_FACTORY[convention]), 3
    )
    converted, mask = convert_kps(keypoints, convention, 'human_data')
    known = native[f'kpm_{convention}'].astype(bool)
    np.testing.assert_array_equal(mask, known)
    np.testing.assert_array_equal(
        converted[:, known].astype(np.float32), native[f'kps_{convention}']
    )
    assert not converted[:, ~known].any()


@pytest.mark.parametrize(
    'name', ['aa_to_rotmat', 'aa_to_quat', 'aa_to_rot6d', 'aa_to_sja']
)
def test_rotations_are_converted_as_in_the_native_stack(name, native):
    from mmhuman3d.utils import transforms

    axis_angle = np.random.RandomState(4).randn(50, 3).astype(np.float32)
    if name == 'aa_to_sja':  # joint angles of 21 joints
        axis_angle = (
            np.random.RandomState(5).randn(5, 21, 3).astype(np.float32) * 0.3
        )
    found = getattr(transforms, name)(torch.from_numpy(axis_angle))
    assert_close(found, native[f'tr_{name}'], 1e-6)


def test_euler_angles_are_those_of_the_native_stack(native):
    from mmhuman3d.utils import transforms

    axis_angle = np.random.RandomState(4).randn(50, 3).astype(np.float32)
    found = transforms.aa_to_ee(torch.from_numpy(axis_angle)).numpy()
    exact = Rotation.from_rotvec(axis_angle.astype(float)).as_euler('XYZ')
    # Near gimbal lock single precision is amplified by this: 13 times here,
    # where the native stack is 7e-7 from the exact angle and we are 3e-7.
    amplified = 1 / np.cos(exact[:, 1:2])
    assert (np.abs(found - native['tr_aa_to_ee']) <= 1e-6 * amplified).all()
    assert_close(found, exact, 1e-6)

"""Which way a person faces, as a class."""

import numpy as np
import pytest
import torch

from mmd2a.datasets.transforms import PersonCrop
from mmd2a.mixing import FacingLabel

# Upright in the OpenCV camera frame (y down), front towards the camera.
FACING_CAMERA = np.diag([1.0, -1, -1])


def turned(degrees):
    """Upright, the front turned from the camera to the image's right."""
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler('y', -degrees, degrees=True)
    return (turn * Rotation.from_matrix(FACING_CAMERA)).as_rotvec()


@pytest.mark.parametrize(
    'degrees, label',
    [
        (0, 0),
        (40, 0),
        (-40, 0),
        (50, 1),
        (90, 1),
        (180, 2),
        (-179, 2),
        (-90, 3),
        (-50, 3),
    ],
)
def test_four_classes_are_camera_right_away_left(degrees, label):
    results = dict(global_orient=turned(degrees))
    assert FacingLabel(4)(results)['gt_label'] == label


def test_a_nose_points_where_the_label_says(body):
    """The convention is that of the body, not ours alone."""
    names = body.joint_names('coco17')
    orient = torch.tensor(turned(90), dtype=torch.float32)[None]
    out = body(orient, torch.zeros(1, 69), torch.zeros(1, 10))
    joints = body.regress_joints(out.vertices, 'coco17')[0]
    ears = joints[[names.index('left_ear'), names.index('right_ear')]]
    nose = joints[names.index('nose')] - ears.mean(0)
    assert nose[0] > 0.05 and abs(nose[2]) < 0.02  # to the image's right


def test_a_mirrored_person_faces_the_other_side():
    crop = PersonCrop(size=32, flip_prob=1)
    sample = dict(
        img=np.zeros((64, 64, 3), np.uint8),
        bbox=np.array([10, 10, 50, 60.0]),
        joint_set='h36m14',
        global_orient=turned(80),
        body_pose=np.zeros(69),
        betas=np.zeros(10),
        smpl_weight=1.0,
    )
    assert FacingLabel()(crop(sample))['gt_label'] == 3


@pytest.mark.parametrize('num_classes', [1, 2, 8])
def test_labels_stay_below_the_number_of_classes(num_classes):
    label = FacingLabel(num_classes)
    seen = {
        label(dict(global_orient=turned(d)))['gt_label']
        for d in range(-180, 181, 5)
    }
    assert seen == set(range(num_classes))

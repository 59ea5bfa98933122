"""Annotations for HybrIK: skeletons, twists and cameras.

N: people.
"""

from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from mmhuman3d_stand_ins.body import StandInBody
from mmhuman3d_stand_ins.human_data import (
    People,
    body_labels,
    human_data_bytes,
)

__all__ = ['hybrik_annotations', 'twist_angles']

# The joint of ``hybrik_29`` that each joint's bone leads to; 24 to 28 are the
# leaves of the skeleton.
_CHILD = (
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    10,
    11,
    12,
    27,
    28,
    15,
    16,
    17,
    24,
    18,
    19,
    20,
    21,
    22,
    23,
    25,
    26,
)


def twist_angles(
    body: StandInBody, body_pose: np.ndarray, betas: np.ndarray
) -> np.ndarray:
    r"""Angles by which joints turn about their own bones.

    A rotation is a twist about the bone of the rest pose followed by a swing
    that has no part about it; of the quaternion :math:`(w, q)` and bone
    :math:`b` the twist is :math:`2 \operatorname{atan2}(q \cdot b, w)`.

    Args:
        body: whose rest pose has the bones.
        body_pose: (N, 69) axis-angle.
        betas: (N, 10).

    Returns:
        np.ndarray: (N, 23) radians.

    Li et al., "HybrIK: A Hybrid Analytical-Neural Inverse Kinematics Solution
    for 3D Human Pose and Shape Estimation", CVPR 2021.
    """
    number = len(betas)
    rest = body.keypoints(
        np.zeros((number, 3)), np.zeros((number, 69)), betas
    )['hybrik_29']
    bones = rest[:, _CHILD[1:]] - rest[:, 1:24]
    bones /= np.linalg.norm(bones, axis=-1, keepdims=True)
    quaternion = (
        Rotation.from_rotvec(body_pose.reshape(-1, 3))
        .as_quat()
        .reshape(number, 23, 4)
    )
    along = (quaternion[..., :3] * bones).sum(-1)
    angle = 2 * np.arctan2(along, quaternion[..., 3])
    return (angle + np.pi) % (2 * np.pi) - np.pi


def hybrik_annotations(
    people: People, body: StandInBody, config: str, kind: str
) -> bytes:
    """Annotations as MMHuman3D's HybrIK data set reads them.

    Args:
        people: who is in the images.
        body: their body.
        config: name of the data set.
        kind: ``'smpl'``: everything, in millimetres; ``'test'``: everything
            but twists, in metres; ``'keypoints3d'``: the skeleton in
            millimetres and no SMPL parameters; ``'keypoints2d'``: keypoints
            of the image only.

    Returns:
        bytes: npz of HumanData.
    """
    number = len(people.betas)
    unit = 1.0 if kind == 'test' else 1000.0
    items: dict[str, Any] = dict(
        image_path=list(people.image_path),
        config=config,
        image_height=[people.image_size] * number,
        image_width=[people.image_size] * number,
        depth_factor=[2.0 * unit] * number,
        # HybrIK's data sets keep the corners of boxes under this name.
        bbox_xywh=np.concatenate([people.bbox, np.ones((number, 1))], 1),
    )
    if kind == 'keypoints2d':
        items.update(body_labels(people, body, ['keypoints2d']))
        return human_data_bytes(items)

    points = body.keypoints(
        people.global_orient, people.body_pose, people.betas, people.transl
    )
    skeleton = unit * points['hybrik_29']
    root = skeleton[:, :1]
    depth = skeleton[..., 2:] - root[..., 2:]
    items.update(
        _keypoints(
            'keypoints3d',
            np.concatenate([people.project(skeleton), depth], -1),
            'hybrik_29',
        ),
        root_cam=root[:, 0],
        cam_param=dict(
            f=people.K[:, [0, 1], [0, 1]],
            c=people.K[:, :2, 2],
            intrinsic=np.linalg.inv(people.K),
        ),
    )
    items.update(_keypoints('keypoints3d_cam', skeleton, 'hybrik_29'))
    if kind == 'keypoints3d':
        return human_data_bytes(items)

    h36m = unit * points['h36m']
    items.update(
        _keypoints('keypoints3d_relative', skeleton - root, 'hybrik_29')
    )
    items.update(
        _keypoints(
            'keypoints3d17',
            np.concatenate(
                [people.project(h36m), h36m[..., 2:] - h36m[:, :1, 2:]], -1
            ),
            'h36m',
        )
    )
    items.update(_keypoints('keypoints3d17_cam', h36m, 'h36m'))
    items.update(
        _keypoints('keypoints3d17_relative', h36m - h36m[:, :1], 'h36m')
    )
    pose = np.concatenate([people.global_orient, people.body_pose], 1)
    items['smpl'] = dict(thetas=pose.reshape(-1, 24, 3), betas=people.betas)
    if kind == 'smpl':
        angle = twist_angles(body, people.body_pose, people.betas)
        items['phi'] = np.stack([np.cos(angle), np.sin(angle)], -1)
        items['phi_weight'] = np.ones_like(items['phi'])
    return human_data_bytes(items)


def _keypoints(
    name: str, points: np.ndarray, convention: str
) -> dict[str, np.ndarray]:
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    known = np.concatenate([points, np.ones((*points.shape[:2], 1))], -1)
    keypoints, mask = convert_kps(known, src=convention, dst='human_data')
    return {name: keypoints, f'{name}_mask': mask}

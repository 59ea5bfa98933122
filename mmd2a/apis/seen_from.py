"""A person of the world before one of its cameras."""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.cameras import project_to_image, weak_camera
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry import axis_angle_to_matrix, matrix_to_axis_angle

__all__ = ['seen_from']


def seen_from(
    person: PersonMesh,
    picture: PersonMesh,
    R: ArrayLike,
    t: ArrayLike,
    body_model: SMPLBodyModel | None = None,
) -> PersonMesh:
    r"""Bring a person of the world before a camera, such as a fused one.

    Mesh, joints and root are turned and moved, :math:`x_c = R x`,
    :math:`\tau_c = R \tau + t`, and told as if they had been predicted from
    the picture of that camera. A sigma per axis is that of the turned
    Gaussian, :math:`\sqrt{\operatorname{diag}(R \operatorname{diag}(\sigma^2)
    R^\top)}`.

    Args:
        person: in axes of the world, see :func:`~mmd2a.apis.fuse_views`.
        picture: the person as this camera alone has it: camera, box and crop
            are taken from there.
        R: (3, 3) rotation, world to camera.
        t: (3,) translation, world to camera, m.
        body_model: body of the parameters, which are left out without it: a
            body turns about its pelvis, which it alone knows.

    Returns:
        The person in the frame of the camera.

    Example:
        >>> from mmd2a.apis import MeshInferencer, fuse_views
        >>> inferencer = MeshInferencer()
        >>> [result] = inferencer('docs/images/balancing.jpg', fov=50,
        ...                       bboxes=[36.6, 60.7, 563.7, 758])
        >>> [person] = result['predictions'][0]
        >>> fused = fuse_views([person], np.eye(3)[None], np.zeros((1, 3)))
        >>> again = seen_from(fused, person, np.eye(3), np.zeros(3))
        >>> bool(abs(again.keypoints2d - person.keypoints2d).max() < 0.01)
        True
    """
    turn, shift = np.asarray(R, np.float64), np.asarray(t, np.float64)
    joints = np.asarray(person.keypoints3d, np.float64) @ turn.T
    root = turn @ person.transl + shift
    pixels = project_to_image(joints[None], root[None], picture.K[None])
    spread = person.keypoints3d_sigma
    if spread is not None:
        spread = np.sqrt(np.square(spread.astype(float)) @ np.square(turn).T)
        spread = spread.astype(np.float32)
    moved = replace(
        person,
        vertices=(person.vertices @ turn.T).astype(np.float32),
        keypoints3d=joints.astype(np.float32),
        transl=root.astype(np.float32),
        keypoints3d_sigma=spread,
        keypoints2d=pixels[0],
        camera=weak_camera(
            root, picture.K, picture.crop_matrix, picture.crop_size[0]
        ),
        K=picture.K,
        camera_source=picture.camera_source,
        bbox=picture.bbox,
        score=picture.score,
        crop_matrix=picture.crop_matrix,
        crop_size=picture.crop_size,
        image_size=picture.image_size,
        keypoints2d_localized=picture.keypoints2d_localized,
        mask=picture.mask,
        **_turned_body(person, turn, shift, body_model),
    )
    return moved


def _turned_body(
    person: PersonMesh,
    turn: NDArray[np.float64],
    shift: NDArray[np.float64],
    body_model: SMPLBodyModel | None,
) -> dict[str, Any]:
    """Parameters that pose the turned mesh; None without a body."""
    names = ('global_orient', 'body_pose', 'betas', 'smpl_transl')
    if body_model is None or person.global_orient is None:
        return dict.fromkeys((*names, 'fit_residual'))
    assert person.smpl_transl is not None and person.betas is not None
    orient = axis_angle_to_matrix(torch.from_numpy(person.global_orient))
    turned = torch.from_numpy(turn) @ orient.double()
    rest = body_model(
        torch.zeros(1, 3),
        torch.zeros(1, 69),
        torch.from_numpy(person.betas)[None],
    )
    pelvis = rest.joints[0, 0].double().numpy()
    place = turn @ (person.smpl_transl + pelvis) + shift - pelvis
    return dict(
        global_orient=matrix_to_axis_angle(turned).float().numpy(),
        smpl_transl=place.astype(np.float32),
    )

"""A body of this package as architectures of MMHuman3D call theirs."""

import io

import numpy as np
import torch
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel
from mmd2a.models.heads.mean_mesh import mean_rotations

__all__ = ['BodyForMMHuman3D', 'mean_parameters_file']


class BodyForMMHuman3D(nn.Module):
    """Pose a body when MMHuman3D's losses ask for one.

    Stands for its ``SMPL``, so that no file of a body model is read.

    B: batch, V: vertices, J: joints of the set, S: shape components. Metres,
    radians.

    Args:
        body_model: the body.
        joint_set: joints that are read out of its surface.

    Example:
        >>> body = BodyForMMHuman3D(SMPLBodyModel(), 'h36m14')
        >>> posed = body(betas=torch.zeros(2, 10),
        ...              global_orient=torch.zeros(2, 3),
        ...              body_pose=torch.zeros(2, 69))
        >>> posed['joints'].shape
        torch.Size([2, 14, 3])
    """

    def __init__(self, body_model: SMPLBodyModel, joint_set: str) -> None:
        super().__init__()
        self.body_model = body_model
        self.joint_set = joint_set

    def forward(
        self,
        betas: Tensor,
        body_pose: Tensor,
        global_orient: Tensor,
        pose2rot: bool = True,
        num_joints: int | None = None,
    ) -> dict[str, Tensor]:
        """Pose the body at the origin.

        Args:
            betas: (B, S).
            body_pose, global_orient: rotations of all 24 joints, split
                anywhere, which MMHuman3D's own callers do: axis-angle, or
                matrices.
            pose2rot: whether they are axis-angle.
            num_joints: taken for the sake of STAR's users; not needed.

        Returns:
            ``vertices`` (B, V, 3) and ``joints`` (B, J, 3), relative to the
            origin of the body, not to a root.
        """
        shape = (3,) if pose2rot else (3, 3)
        pose = torch.cat(
            [
                part.reshape(len(betas), -1, *shape)
                for part in (global_orient, body_pose)
            ],
            1,
        )
        root, rest = pose[:, :1], pose[:, 1:]
        if pose2rot:
            root, rest = root.flatten(1), rest.flatten(1)
        vertices = self.body_model(
            root,
            rest,
            betas,
            pose_format='axis_angle' if pose2rot else 'matrix',
        ).vertices
        joints = self.body_model.regress_joints(vertices, self.joint_set)
        return dict(vertices=vertices, joints=joints)


def mean_parameters_file(scale: float = 0.9) -> io.BytesIO:
    """Where iterative regressors start, as the file that their heads read.

    The person that the heads of this package start from: standing upright
    before the camera, arms lowered, of mean shape.

    Args:
        scale: s of the weak-perspective camera (s, 0, 0), crop half-widths
            per metre.

    Returns:
        What ``smpl_mean_params.npz`` holds: ``pose`` (144,), the first two
        columns of each rotation matrix row by row, ``shape`` (10,), ``cam``
        (3,).

    Example:
        >>> np.load(mean_parameters_file())['pose'].shape
        (144,)
    """
    file = io.BytesIO()
    np.savez(
        file,
        pose=mean_rotations()[..., :2].reshape(-1).numpy(),
        shape=np.zeros(10, np.float32),
        cam=np.array([scale, 0, 0], np.float32),
    )
    file.seek(0)
    return file

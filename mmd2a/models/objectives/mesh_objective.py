"""What a predicted mesh should be, and how far from it it is."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmd2a.body_models import SMPLBodyModel, build_body
from mmd2a.geometry import (
    as_yaw,
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    normalize_keypoints2d,
    project_points,
    root_is_known,
    root_position,
    turn_into_view,
    view_rotation,
    weak_perspective_project,
)
from mmd2a.models.losses import build_optional_loss
from mmd2a.models.objectives.labels import stack_labels
from mmd2a.models.objectives.parameters import (
    POSE_POINTS,
    labelled_pose,
    predicted_betas,
    predicted_pose,
)
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample

Config = dict[str, Any]

EMBEDDED_BODY = dict(type='mmd2a.SMPLBodyModel')
VERTEX_LOSS = dict(type='mmd2a.VertexLoss')
JOINT_LOSS = dict(type='mmd2a.JointLoss')
_TERMS = ('vertices', 'keypoints3d', 'keypoints2d', 'pose', 'betas')
# Closer to the camera than this, in metres, nothing is projected: labels that
# are relative to the root have their origin at the camera.
_NEAREST = 0.1


@MODELS.register_module()
class MeshObjective(nn.Module):
    r"""Compare predicted meshes with the labels of people, root to root.

    .. math:: L = \lambda_v L_v + \lambda_{3D} L_{3D} + \lambda_{2D} L_{2D}

    over the vertices, their joints, and the joints projected by the predicted
    weak-perspective camera, and where asked for over pose and shape. Whatever
    a sample does not know has weight 0.

    Seen from an angle φ (``yaw``) the same person is turned by −φ about the
    vertical axis through the root,

    .. math:: p_\varphi = R_y(-\varphi)\, p, \qquad
              R_y(\theta) = \begin{pmatrix} \cos\theta & 0 & \sin\theta \\
              0 & 1 & 0 \\ -\sin\theta & 0 & \cos\theta \end{pmatrix}

    as ImpHMR imagines its views: at φ = 90° the camera stands at the left of
    the image and (x, y, z) is at (−z, y, x).

    B: batch, J: joints of the set, V: vertices, K: coarse vertices, S: shape
    components of the body. Metres, OpenCV camera frame; 2-D joints in crop
    coordinates ([-1, 1] over the crop).

    Args:
        body_model: body of the labels and of the prediction: instance or
            config. A model hands on its own.
        joint_set: joints that supervise and are returned; must be the set of
            the data.
        root: names of the joints whose mean is the origin of the mesh.
        loss_vertices, loss_keypoints3d, loss_keypoints2d: configs of the
            terms; None: that term is off. Elementwise losses of mmdet and
            MMHuman3D, such as ``mmhuman3d.SmoothL1Loss``, do as well.
        loss_pose, loss_betas: configs of the losses of rotation matrices,
            taken as points (B, 24, 9), 22 of SMPL-H and SMPL-X, and of shape,
            (B, 1, S); None: off. For heads that give parameters.

    D2A-HMR, terms L_v, L_3D and L_2D; the turned labels are those of ImpHMR
    (Cho et al., CVPR 2023, arXiv:2306.17651).

    Example:
        >>> objective = MeshObjective()
        >>> mesh = objective.body_model.v_template[None]
        >>> output = objective.centre(
        ...     dict(vertices=mesh, camera=torch.tensor([[0.9, 0, 0]])))
        >>> output['keypoints3d'].shape, output['keypoints2d'].shape
        (torch.Size([1, 14, 3]), torch.Size([1, 14, 2]))
    """

    def __init__(
        self,
        body_model: SMPLBodyModel | Config = EMBEDDED_BODY,
        joint_set: str = 'h36m14',
        root: Sequence[str] = ('left_hip', 'right_hip'),
        loss_vertices: Config | None = VERTEX_LOSS,
        loss_keypoints3d: Config | None = JOINT_LOSS,
        loss_keypoints2d: Config | None = JOINT_LOSS,
        loss_pose: Config | None = None,
        loss_betas: Config | None = None,
    ) -> None:
        super().__init__()
        self.body_model = build_body(body_model)
        self.joint_set = joint_set
        self.joint_names = self.body_model.joint_names(joint_set)
        absent = [name for name in root if name not in self.joint_names]
        if absent or not root:
            raise ValueError(
                f'root={tuple(root)} must name joints of '
                f"joint_set='{joint_set}': {', '.join(self.joint_names)}"
            )
        self.root_ids = [self.joint_names.index(name) for name in root]
        joints = len(self.joint_names)
        self.loss_vertices = build_optional_loss(
            loss_vertices, 'loss_vertices', self.body_model.num_vertices, 3
        )
        self.loss_keypoints3d = build_optional_loss(
            loss_keypoints3d, 'loss_keypoints3d', joints, 3
        )
        self.loss_keypoints2d = build_optional_loss(
            loss_keypoints2d, 'loss_keypoints2d', joints, 2
        )
        self.loss_pose = build_optional_loss(
            loss_pose, 'loss_pose', *POSE_POINTS
        )
        self.loss_betas = build_optional_loss(
            loss_betas, 'loss_betas', 1, self.body_model.num_betas
        )

    @property
    def has_terms(self) -> bool:
        """Whether any term is on."""
        return any(
            getattr(self, f'loss_{name}') is not None for name in _TERMS
        )

    def centre(
        self, output: dict[str, Tensor], move_camera: bool = False
    ) -> dict[str, Tensor]:
        """Move meshes to their root and add their joints.

        Args:
            output: ``vertices`` (B, V, 3), ``camera`` (B, 3) weak perspective
                (s, tx, ty), perhaps ``coarse_vertices`` (B, K, 3), and more.
            move_camera: let the camera follow the root, so that a mesh shows
                where it did; else it shows the root where it says.

        Returns:
            The same with the meshes relative to their root, ``keypoints3d``
            (B, J, 3) and their projection ``keypoints2d`` (B, J, 2).
        """
        joints = self.body_model.regress_joints(
            output['vertices'], self.joint_set
        )
        root = root_position(joints, self.root_ids)
        centred = dict(output)
        for key in ('vertices', 'coarse_vertices'):
            if key in output:
                centred[key] = output[key] - root
        if move_camera:
            shift = nn.functional.pad(root[:, 0, :2], (1, 0))
            centred['camera'] = output['camera'] + shift
        centred['keypoints3d'] = joints - root
        centred['keypoints2d'] = weak_perspective_project(
            centred['keypoints3d'], centred['camera']
        )
        return centred

    @torch.no_grad()
    def targets(
        self,
        samples: Sequence[BodyDataSample],
        yaw: Tensor | float | None = None,
    ) -> dict[str, Tensor]:
        """Stack the labels of samples and pose their meshes.

        Args:
            samples: B samples with labels, on one device.
            yaw: angle φ (B,), or one for all, in radians, from which the
                people are seen; None: as the camera saw them. See
                :meth:`turned`.

        Returns:
            Every field of ``gt`` (B, ...), with ``betas`` (B, S);
            ``vertices`` (B, V, 3) and ``keypoints3d`` (B, J, 3) relative to
            their root, and ``root3d`` (B, 1, 3), where that of the joints is.

        Raises:
            ValueError: the samples are of other joints than the objective, or
                lack labels; the message names the sample.
        """
        gt = stack_labels(
            samples,
            self.joint_set,
            self.body_model.num_betas,
            self.body_model.num_body_joints,
        )
        vertices = self.body_model(
            gt['global_orient'], gt['body_pose'], gt['betas']
        ).vertices
        joints = self.body_model.regress_joints(vertices, self.joint_set)
        gt['vertices'] = vertices - root_position(joints, self.root_ids)
        gt['root3d'] = root_position(gt['keypoints3d'], self.root_ids)
        gt['keypoints3d'] = gt['keypoints3d'] - gt['root3d']
        root_known = root_is_known(gt['keypoints3d_weight'], self.root_ids)
        gt['keypoints3d_weight'] = (
            gt['keypoints3d_weight'] * root_known[:, None]
        )
        return gt if yaw is None else self.turned(gt, yaw)

    @torch.no_grad()
    def turned(
        self, targets: dict[str, Tensor], yaw: Tensor | float
    ) -> dict[str, Tensor]:
        """Turn people by −yaw about the vertical axis through their root.

        Mesh, joints and root orientation turn; pose and shape stay. 2-D
        joints are projected anew where the camera (``K``), the place of the
        person and the joint in 3-D are known, and have weight 0 elsewhere.
        So has the mask, which shows one side only. A sample of angle 0 keeps
        all it had.

        Args:
            targets: what :meth:`targets` gives.
            yaw: angle φ (B,), or one for all, in radians.

        Returns:
            The labels of the turned people, in the same fields.

        Raises:
            ValueError: an angle that is not finite.
        """
        joints = targets['keypoints3d']
        angle = as_yaw(yaw, joints)
        turned = dict(targets)
        for key in ('vertices', 'keypoints3d'):
            turned[key] = turn_into_view(targets[key], angle)
        turned['global_orient'] = matrix_to_axis_angle(
            view_rotation(angle)
            @ axis_angle_to_matrix(targets['global_orient'])
        )
        turned.update(_project_again(targets, turned['keypoints3d']))
        turned['mask_weight'] = torch.zeros_like(targets['mask_weight'])
        return {
            key: torch.where(
                (angle == 0).reshape(-1, *[1] * (value.ndim - 1)),
                targets[key],
                value,
            )
            for key, value in turned.items()
        }

    def forward(
        self, output: dict[str, Tensor], targets: dict[str, Tensor]
    ) -> dict[str, Tensor]:
        """Return the terms that are on.

        Args:
            output: what :meth:`centre` gives.
            targets: what :meth:`targets` gives.

        Returns:
            ``loss_vertices``, ``loss_keypoints3d``, ``loss_keypoints2d``,
            ``loss_pose``, ``loss_betas``.

        Raises:
            ValueError: a loss of parameters that the output does not have.
        """
        losses = {}
        for name in _TERMS:
            loss = getattr(self, f'loss_{name}')
            if loss is not None:
                compared = _compared(name, output, targets)
                losses[f'loss_{name}'] = loss(*compared)
        return losses

    def extra_repr(self) -> str:
        """Say which joints supervise."""
        root = tuple(self.joint_names[i] for i in self.root_ids)
        return f'joint_set={self.joint_set!r}, root={root}'


def _compared(
    name: str, output: dict[str, Tensor], targets: dict[str, Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """What a term compares, (B, P, D), and the weight (B, P) of each point."""
    if name.startswith('keypoints'):
        return output[name], targets[name], targets[f'{name}_weight']
    if name == 'vertices':
        pred, target = output[name], targets[name]
    elif name == 'pose':
        pred, target = predicted_pose(output), labelled_pose(targets)
    else:
        pred = predicted_betas(output)
        target = targets['betas'][:, None]
    known = targets['smpl_weight'][:, None]
    return pred, target, known.expand(pred.shape[:2])


def _project_again(
    targets: dict[str, Tensor], turned: Tensor
) -> dict[str, Tensor]:
    """2-D joints of turned 3-D ones (B, J, 3), weight 0 where unknown."""
    points = turned + targets['root3d']
    K = targets['K'].to(points)
    known = (
        (targets['keypoints3d_weight'] > 0)
        & (targets['keypoints2d_weight'] > 0)
        & (K[:, 0, 0] > 0)[:, None]
        & (points[..., 2] > _NEAREST)
        # At the root's own depth, too: labels relative to a root that is not
        # known in the camera frame have it at the camera.
        & (targets['root3d'][..., 2] > _NEAREST)
    )
    ahead = torch.tensor([0.0, 0.0, 1.0]).to(points)
    points = torch.where(known[..., None], points, ahead)
    height, width = targets['mask'].shape[-2:]
    joints = normalize_keypoints2d(project_points(points, K), (width, height))
    return dict(
        keypoints2d=torch.where(known[..., None], joints, 0.0),
        keypoints2d_weight=torch.where(
            known, targets['keypoints2d_weight'], 0.0
        ),
    )

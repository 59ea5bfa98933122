"""Bodies that predictions are fitted to, whoever made them, seen as one."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import roma
import torch
from torch import Tensor

from mmd2a.apis.errors import InputError
from mmd2a.body_models import BodyFit, SMPLBodyModel, joint_names
from mmd2a.geometry import matrix_to_axis_angle

__all__ = ['PackageBody', 'SMPLBody', 'TargetBody', 'target_body']

_SMPL24 = joint_names('smpl24')
# Parameters of the package that turn joints as those of SMPL do, and how many.
_LIKE_SMPL = (23, 21)


class TargetBody(Protocol):
    """What fitting asks of a body; B: people, J: joints that it shares.

    Attributes:
        joint_ids: of the joints of ``'smpl24'``, the J that it has too.
        num_vertices: of its mesh.
        free: names of the parameters that are fitted freely; the others are
            kept near their start.
    """

    joint_ids: list[int]
    num_vertices: int
    free: tuple[str, ...]

    def start(self, fit: BodyFit, joints: Tensor) -> dict[str, Tensor]:
        """Parameters (B, ...) to start from.

        Args:
            fit: the SMPL body of the predictions.
            joints: where its joints are, (B, 24, 3), m.
        """
        ...

    def joints(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Its joints (B, J, 3), m."""
        ...

    def vertices(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Its mesh (B, V, 3), m."""
        ...


class SMPLBody:
    """A body of SMPL's format as a target.

    Args:
        body: of any topology.

    Example:
        >>> SMPLBody(SMPLBodyModel()).num_vertices
        6907
    """

    free: tuple[str, ...] = ('transl',)

    def __init__(self, body: SMPLBodyModel) -> None:
        self.body = body
        self.skeleton = body.at_vertices(
            torch.zeros(1, dtype=torch.long, device=body.v_template.device)
        )
        self.joint_ids = list(range(len(_SMPL24)))
        self.num_vertices = body.num_vertices

    def start(self, fit: BodyFit, joints: Tensor) -> dict[str, Tensor]:
        """The pose that was found, the mean shape, at the same pelvis."""
        betas = fit.betas.new_zeros(len(joints), self.body.num_betas)
        posed = dict(
            global_orient=fit.global_orient,
            body_pose=fit.body_pose,
            betas=betas,
        )
        pelvis = self.joints(posed)[:, 0]
        return posed | dict(transl=joints[:, 0] - pelvis)

    def joints(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """Joints of the kinematic tree (B, 24, 3), m."""
        return self.skeleton(**parameters).joints

    def vertices(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The mesh (B, V, 3), m."""
        return self.body(**parameters).vertices


class PackageBody:
    """A body of the package ``body-models`` as a target.

    Joints are shared by their names, and pose where the first joints are
    those of SMPL; every other parameter starts at rest.

    Args:
        body: a ``SkinnedModel`` of its torch runtime, with rotations as
            axis-angle, such as ``body_models.smpl.torch.SMPL(...)``.

    Raises:
        InputError: of another runtime or form of rotations.
    """

    free: tuple[str, ...] = ('global_translation', 'global_rotation')

    def __init__(self, body: Any) -> None:
        spec = body.parameter_spec
        kinds = {each.rotation_type for each in spec.values()} - {None}
        if body.runtime.name != 'torch' or kinds - {'axis_angle'}:
            raise InputError(
                f'the body is of runtime {body.runtime.name!r} and rotations '
                f'{sorted(kinds)}: build it from its torch module with '
                "rotation_type='axis_angle'"
            )
        self.body = body
        names = list(body.joint_names)
        self.own_names = {
            str(joint): name for joint, name in body.common_joints.items()
        } | {name: name for name in names}
        self.joint_ids = [
            i for i, name in enumerate(_SMPL24) if name in self.own_names
        ]
        if len(self.joint_ids) < 3:
            raise InputError(
                'the body shares fewer than three joints with SMPL: give a '
                'correspondence of its vertices'
            )
        self.own_ids = [
            names.index(self.own_names[_SMPL24[i]]) for i in self.joint_ids
        ]
        self.num_vertices = body.num_vertices

    def start(self, fit: BodyFit, joints: Tensor) -> dict[str, Tensor]:
        """At rest, or posed where that is SMPL's too; turned to joints."""
        values = self.body.get_rest_pose(batch_dims=(len(joints),))
        values = {key: value.to(joints) for key, value in values.items()}
        pose = fit.body_pose.unflatten(1, (-1, 3))
        shape = getattr(values.get('body_pose'), 'shape', ())
        names = tuple(self.body.joint_names)
        for count in _LIKE_SMPL:
            if (
                tuple(shape[1:]) == (count, 3)
                and names[: count + 1] == _SMPL24[: count + 1]
            ):
                values['body_pose'] = pose[:, :count].clone()
                if 'pelvis_rotation' in values:
                    values['pelvis_rotation'] = fit.global_orient.clone()
        if len(joints):
            turn, shift = roma.rigid_points_registration(
                self.joints(values), joints[:, self.joint_ids]
            )
            values['global_rotation'] = matrix_to_axis_angle(turn)
            values['global_translation'] = shift
        return values

    def joints(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The shared joints (B, J, 3), m."""
        motions = self.body.forward_skeleton(**parameters)
        return motions[:, self.own_ids, :3, 3]

    def vertices(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The mesh (B, V, 3), m."""
        return self.body.forward_vertices(**parameters)


def target_body(body: Any) -> TargetBody:
    """See any body as a target.

    Args:
        body: a :class:`~mmd2a.body_models.SMPLBodyModel`; the path of a file
            of SMPL's format; or a ``SkinnedModel`` of ``body-models``.

    Raises:
        InputError: something else.
        BodyFileError: a file that cannot be used.
    """
    if isinstance(body, str | Path):
        body = SMPLBodyModel(body)
    if isinstance(body, SMPLBodyModel):
        return SMPLBody(body)
    if all(hasattr(body, name) for name in ('parameter_spec', 'runtime')):
        return PackageBody(body)
    raise InputError(
        f'{type(body).__name__} is no body: give an SMPLBodyModel, the path '
        'of an npz file of one, or a model of the package body-models'
    )

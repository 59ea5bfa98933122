"""Joints and root of meshes, as a protocol regresses them."""

from torch import Tensor

from mmd2a.body_models import SMPLBodyModel
from mmd2a.evaluation.protocols import Protocol
from mmd2a.geometry import root_position

__all__ = ['protocol_joints', 'regressor_hashes']


def protocol_joints(
    body: SMPLBodyModel, protocol: Protocol, vertices: Tensor
) -> tuple[Tensor, Tensor]:
    """Regress joints, and the root that the protocol subtracts.

    B: batch, V: vertices, J: joints of the protocol.

    Args:
        body: whose regressors are used.
        protocol: which joints and which root.
        vertices: (B, V, 3), metres, any origin.

    Returns:
        Joints (B, J, 3) and roots (B, 1, 3), from the origin of the vertices.

    Example:
        >>> from mmd2a.evaluation import get_protocol
        >>> body = SMPLBodyModel()
        >>> joints, root = protocol_joints(
        ...     body, get_protocol('3dpw_14'), body.v_template[None])
        >>> joints.shape, root.shape
        (torch.Size([1, 14, 3]), torch.Size([1, 1, 3]))
    """
    joints = body.regress_joints(vertices, protocol.joint_set)
    root = protocol.root_joints(body.joint_names(protocol.joint_set))
    if root is None:
        # The first joint of the tree is the root of the body.
        kinematic = body.regress_joints(vertices, body.family.joint_set)
        return joints, kinematic[:, :1]
    return joints, root_position(joints, root)


def regressor_hashes(
    body: SMPLBodyModel, protocol: Protocol
) -> dict[str, str]:
    """Return the hash of each regressor that a protocol uses, by joint set."""
    joint_sets = [protocol.joint_set]
    if protocol.root_joints(body.joint_names(protocol.joint_set)) is None:
        joint_sets.append(body.family.joint_set)
    return {name: body.regressor_hash(name) for name in joint_sets}

"""A mesh between the joints of a body, as a linear map."""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.models.heads.mean_mesh import mean_rotations

# Poses that the map is fitted to: enough for 14 columns, and bent as people
# bend (radians), not so far that parts meet.
_NUM_POSES, _BEND = 400, 0.4
# Keeps the weights of a vertex small, relative to the spread of a joint.
_RIDGE = 1e-3
# Posing 400 bodies takes longer than all else that a model is built of, and
# each of its heads asks for some rows of the same map.
_maps: 'WeakKeyDictionary[SMPLBodyModel, dict[str, Tensor]]' = (
    WeakKeyDictionary()
)


def mesh_from_joints(
    body_model: SMPLBodyModel, joint_set: str, vertex_ids: Tensor
) -> Tensor:
    r"""Weights that place vertices between the joints of a set.

    .. math:: \min_A \sum_n \lVert V_n - A J_n \rVert^2
              \quad \text{with} \quad A \mathbf 1 = \mathbf 1

    over vertices V and joints J of the body in random poses n. As rows sum
    to 1 and all axes share the weights, the mesh moves and turns along with
    the joints; what joints do not tell, such as the twist of a limb, is left
    to be added. Deterministic.

    K: vertices, J: joints.

    Args:
        body_model: the body.
        joint_set: a set of joints of it.
        vertex_ids: (K,) vertices of its mesh.

    Returns:
        A (K, J), float32.

    Example:
        >>> from mmd2a.body_models import build_body
        >>> body = build_body(dict(type='mmd2a.SMPLBodyModel'))
        >>> mesh_from_joints(body, 'h36m14', torch.arange(5)).sum(1)
        tensor([1.0000, 1.0000, 1.0000, 1.0000, 1.0000])
    """
    known = _maps.setdefault(body_model, {})
    if joint_set not in known:
        known[joint_set] = _map_of_all(body_model, joint_set)
    rows = known[joint_set]
    return rows[vertex_ids.to(rows.device)].to(body_model.v_template.device)


@torch.no_grad()
def _map_of_all(body_model: SMPLBodyModel, joint_set: str) -> Tensor:
    """A (V, J) of all vertices of a body."""
    generator = torch.Generator().manual_seed(0)
    rest = mean_rotations(body_model.num_body_joints)
    bend = torch.randn(_NUM_POSES, len(rest), 3, generator=generator) * _BEND
    bend[:, 0] = 0
    betas = torch.randn(_NUM_POSES, body_model.num_betas, generator=generator)
    template = body_model.v_template
    rotations = rest @ axis_angle_to_matrix(bend)
    rotations = rotations.to(template)
    mesh = body_model(
        rotations[:, :1],
        rotations[:, 1:],
        betas.to(template),
        pose_format='matrix',
    ).vertices
    joints = body_model.regress_joints(mesh, joint_set).double()
    vertices = mesh.double()
    centre = joints.mean(1, keepdim=True)
    # (J, N 3) and (K, N 3): every pose and axis is an equation.
    known = (joints - centre).transpose(0, 1).flatten(1)
    wanted = (vertices - centre).transpose(0, 1).flatten(1)
    gram = known @ known.T
    eye = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    ridge = _RIDGE * gram.diagonal().mean() * eye
    weights = torch.linalg.solve(gram + ridge, known @ wanted.T).T
    # Joints are relative to their mean, which the rest of a row stands for.
    mean = (1 - weights.sum(1, keepdim=True)) / weights.shape[1]
    return (weights + mean).float()

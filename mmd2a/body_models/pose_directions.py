"""What the pose adds to a body before it is skinned."""

from torch import Tensor

from mmd2a.body_models.smpl import SMPLBodyModel

__all__ = ['pose_directions']


def pose_directions(body: SMPLBodyModel) -> Tensor:
    r"""Read the pose blend shapes of a body.

    At the rotations :math:`R` a vertex of the rest pose moves by
    :math:`P \operatorname{vec}(R_{1..} - I)`, see :class:`SMPLBodyModel`.

    V: vertices.

    Args:
        body: the body.

    Returns:
        :math:`P` as (207, V, 3) of SMPL, metres: one displacement of all
        vertices per entry of the 23 matrices, row by row.

    Example:
        >>> tuple(pose_directions(SMPLBodyModel()).shape)
        (207, 6907, 3)
    """
    planes = body._pose_planes.unflatten(1, (3, body.num_vertices))
    return planes.transpose(1, 2)

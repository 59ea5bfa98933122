"""From the pose arguments of a body to the rotations of its joints."""

from collections.abc import Mapping

import torch
from torch import Tensor

from mmd2a.body_models.families import BodyFamily
from mmd2a.geometry.rotations import axis_angle_to_matrix

__all__ = ['check_shape_arguments', 'join_rotations']


def join_rotations(
    family: BodyFamily,
    pose: Mapping[str, Tensor | None],
    pose_format: str,
    hands: Mapping[str, Tensor],
) -> Tensor:
    """Check pose arguments and join them in the order of the tree.

    B: batch, J: joints of the family, P: components of a hand.

    Args:
        family: whose arguments they are.
        pose: ``global_orient`` and the arguments of ``family.parts``. None
            of hands, jaw and eyes: as at rest.
        pose_format: ``'axis_angle'``, (B, 3 n) of n joints, or ``'matrix'``,
            (B, n, 3, 3).
        hands: by side, ``left_hand_mean`` (45,), the pose of a hand at rest,
            which axis-angle poses are added to; ``left_hand_components``
            (P, 45), if poses are coefficients of these.

    Returns:
        Rotation matrices (B, J, 3, 3).

    Raises:
        ValueError: another format, an argument of another shape, or one that
            the family does not have.

    Example:
        >>> from mmd2a.body_models.families import family_of
        >>> pose = dict(
        ...     global_orient=torch.zeros(2, 3), body_pose=torch.zeros(2, 69))
        >>> join_rotations(family_of('smpl'), pose, 'axis_angle', {}).shape
        torch.Size([2, 24, 3, 3])
    """
    if pose_format not in ('axis_angle', 'matrix'):
        raise ValueError(
            f"pose_format must be 'axis_angle' or 'matrix', "
            f'not {pose_format!r}'
        )
    parts = dict(global_orient=1, **family.parts)
    for name in pose.keys() - parts.keys():
        if pose[name] is not None:
            raise ValueError(
                f'{name} is given, which {family.name} bodies do not have, '
                f'only {", ".join(parts)}'
            )
    root = pose['global_orient']
    assert root is not None
    given = []
    for name, joints in parts.items():
        value = pose[name]
        if value is None:
            value = _at_rest(name, joints, root, pose_format, hands)
        else:
            value = _checked(name, value, joints, pose_format, hands)
        given.append(value)
    joined = torch.cat(given, 1)
    if pose_format == 'matrix':
        return joined
    return axis_angle_to_matrix(joined.unflatten(1, (-1, 3)))


def check_shape_arguments(
    batch: int,
    betas: tuple[Tensor, int],
    expression: tuple[Tensor | None, int],
    transl: Tensor | None,
) -> None:
    """Check what is no rotation: the shapes of shape and place.

    Args:
        batch: B of the pose.
        betas: ``betas`` and how many there should be.
        expression: likewise.
        transl: ``transl``.

    Raises:
        ValueError: one has another shape.

    Example:
        >>> betas = torch.zeros(2, 10)
        >>> check_shape_arguments(2, (betas, 10), (None, 0), None)
    """
    expected = (
        ('betas', *betas),
        ('expression', *expression),
        ('transl', transl, 3),
    )
    for name, value, number in expected:
        if value is None:
            continue
        if name == 'expression' and not number:
            raise ValueError('expression is given, which this body lacks')
        if value.shape != (batch, number):
            raise ValueError(
                f'{name} have shape {tuple(value.shape)}, '
                f'expected ({batch}, {number})'
            )


def _checked(
    name: str,
    value: Tensor,
    joints: int,
    pose_format: str,
    hands: Mapping[str, Tensor],
) -> Tensor:
    side = name.removesuffix('_pose')
    components = hands.get(f'{side}_components')
    tail: tuple[int, ...] = (joints, 3, 3)
    if pose_format == 'axis_angle':
        tail = (3 * joints if components is None else len(components),)
    if value.shape[1:] != tail:
        shape = ', '.join(map(str, ('B', *tail)))
        raise ValueError(
            f'{name} has shape {tuple(value.shape)}, expected '
            f'({shape}) with pose_format={pose_format!r}'
        )
    if pose_format == 'matrix':
        return value
    if components is not None:
        value = value @ components
    mean = hands.get(f'{side}_mean')
    return value if mean is None else value + mean


def _at_rest(
    name: str,
    joints: int,
    root: Tensor,
    pose_format: str,
    hands: Mapping[str, Tensor],
) -> Tensor:
    if name == 'body_pose':
        raise ValueError('body_pose is None: give zeros for the rest pose')
    mean = hands.get(f'{name.removesuffix("_pose")}_mean')
    rest = root.new_zeros(3 * joints) if mean is None else mean
    rest = rest.expand(root.shape[0], -1)  # len() would fix it in exports
    if pose_format == 'axis_angle':
        return rest
    return axis_angle_to_matrix(rest.unflatten(1, (-1, 3)))

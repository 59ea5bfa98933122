"""Where a camera stands and looks: from world to view space."""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms import (
    Rotate,
    Transform3d,
    Translate,
)

# Below this length a direction is none.
_MIN_NORM = 1e-5
_Vectors = Tensor | Sequence[float] | Sequence[Sequence[float]]
_Numbers = Tensor | Sequence[float] | float


def get_world_to_view_transform(R: Tensor, T: Tensor) -> Transform3d:
    """Compose the transform from world to view space.

    Args:
        R: (N, 3, 3), acts on row vectors: view = world @ R + T.
        T: (N, 3), metres.

    Returns:
        N transforms.

    Raises:
        ValueError: ``R`` or ``T`` has another shape.

    Example:
        >>> to_view = get_world_to_view_transform(
        ...     torch.eye(3)[None], torch.tensor([[0., 0., 3.]]))
        >>> to_view.transform_points(torch.zeros(1, 3))
        tensor([[0., 0., 3.]])
    """
    return Rotate(R).compose(Translate(T))


def camera_position_from_spherical_angles(
    distance: _Numbers,
    elevation: _Numbers,
    azimuth: _Numbers,
    degrees: bool = True,
    device: torch.device | str = 'cpu',
) -> Tensor:
    """Place cameras on spheres around the origin.

    Args:
        distance: from the origin, (N,) or a number, metres.
        elevation: angle above the plane y = 0, (N,) or a number.
        azimuth: angle about +y, from +z towards +x, (N,) or a number.
        degrees: angles are in degrees, not in radians.
        device: of the result.

    Returns:
        Positions (N, 3).

    Example:
        >>> camera_position_from_spherical_angles(2., 90., 0.)[:, 1]
        tensor([2.])
    """
    radius, up, around = torch.broadcast_tensors(
        *(
            torch.as_tensor(
                number, dtype=torch.float32, device=device
            ).reshape(-1)
            for number in (distance, elevation, azimuth)
        )
    )
    if degrees:
        up, around = up * math.pi / 180, around * math.pi / 180
    return radius[:, None] * torch.stack(
        [up.cos() * around.sin(), up.sin(), up.cos() * around.cos()], dim=1
    )


def look_at_rotation(
    camera_position: _Vectors,
    at: _Vectors = ((0, 0, 0),),
    up: _Vectors = ((0, 1, 0),),
    device: torch.device | str = 'cpu',
) -> Tensor:
    """Turn cameras towards a point.

    Args:
        camera_position: (N, 3) or (3,), world frame, metres.
        at: the point to look at, (N, 3) or (3,).
        up: direction in the world that is upright in the image, (N, 3) or
            (3,). Seen along it, some upright direction is chosen.
        device: of the result.

    Returns:
        R (N, 3, 3), whose columns are the camera's axes in the world (+x
        left, +y up, +z forward): view = world @ R + T.

    Example:
        >>> look_at_rotation((0., 0., -2.))[0]
        tensor([[1., 0., 0.],
                [0., 1., 0.],
                [0., 0., 1.]])
    """
    position, target, upright = torch.broadcast_tensors(
        *(_rows(vectors, device) for vectors in (camera_position, at, up))
    )
    forward = F.normalize(target - position, eps=_MIN_NORM)
    left = torch.linalg.cross(upright, forward)
    # Looking along `up`, any direction across will do.
    across = torch.eye(3).to(forward)[forward.abs().argmin(dim=1)]
    left = left.where(
        left.norm(dim=1, keepdim=True) > _MIN_NORM,
        torch.linalg.cross(across, forward),
    )
    left = F.normalize(left, eps=_MIN_NORM)
    return torch.stack(
        [left, torch.linalg.cross(forward, left), forward], dim=2
    )


def look_at_view_transform(
    dist: _Numbers = 1.0,
    elev: _Numbers = 0.0,
    azim: _Numbers = 0.0,
    degrees: bool = True,
    eye: _Vectors | None = None,
    at: _Vectors = ((0, 0, 0),),
    up: _Vectors = ((0, 1, 0),),
    device: torch.device | str = 'cpu',
) -> tuple[Tensor, Tensor]:
    """Place cameras on spheres around a point and turn them towards it.

    Args:
        dist: distance from ``at``, (N,) or a number, metres.
        elev: elevation, see :func:`camera_position_from_spherical_angles`.
        azim: azimuth, likewise.
        degrees: angles are in degrees, not in radians.
        eye: positions (N, 3) or (3,), instead of the three above.
        at: the point to look at, (N, 3) or (3,), world frame, metres.
        up: see :func:`look_at_rotation`.
        device: of the result.

    Returns:
        R (N, 3, 3) and T (N, 3): view = world @ R + T.

    Example:
        >>> R, T = look_at_view_transform(dist=2., elev=30., azim=[0., 90.])
        >>> T[:, 2]
        tensor([2., 2.])
    """
    target = _rows(at, device)
    if eye is not None:
        position = _rows(eye, device)
    else:
        position = target + camera_position_from_spherical_angles(
            dist, elev, azim, degrees, device
        )
    R = look_at_rotation(position, target, up, device)
    return R, -(position[:, None] @ R)[:, 0]


def _rows(vectors: _Vectors, device: torch.device | str) -> Tensor:
    return torch.as_tensor(
        vectors, dtype=torch.float32, device=device
    ).reshape(-1, 3)

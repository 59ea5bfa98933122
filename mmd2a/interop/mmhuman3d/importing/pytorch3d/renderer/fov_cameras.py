"""Cameras by field of view, as in OpenGL."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.camera_base import (
    CamerasBase,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms import Transform3d

_Numbers = Tensor | Sequence[float] | float
_IDENTITY = torch.eye(3)[None]
_ORIGIN = torch.zeros(1, 3)


class _FieldOfViewCameras(CamerasBase):
    """What both kinds share: NDC, and depth between two planes."""

    def in_ndc(self) -> bool:
        """Fields of view lead to NDC."""
        return True

    def compute_projection_matrix(self, *args: Any) -> Tensor:
        """Write the field of view as projections (N, 4, 4)."""
        raise NotImplementedError

    def _project(self, names: Sequence[str], **kwargs: Any) -> Transform3d:
        given = self._given_projection(**kwargs)
        if given is not None:
            return given
        K = self.compute_projection_matrix(
            *(kwargs.get(name, getattr(self, name)) for name in names)
        )
        return Transform3d(matrix=K.mT)

    def unproject_points(
        self,
        xy_depth: Tensor,
        world_coordinates: bool = True,
        scaled_depth_input: bool = False,
        **kwargs: Any,
    ) -> Tensor:
        """Lift points in NDC with a depth back to space.

        Args:
            xy_depth: x, y in NDC and the distance along the optical axis in
                metres, (N, P, 3) or (P, 3).
            world_coordinates: return points of the world, not of the view.
            scaled_depth_input: the depth is the projection's own, 0 at the
                near plane and 1 at the far one.

        Returns:
            Points, as ``xy_depth``, metres.
        """
        if not scaled_depth_input:
            xy, depth = xy_depth[..., :2], xy_depth[..., 2:]
            on_axis = torch.cat([torch.zeros_like(xy), depth], dim=-1)
            scaled = self.get_projection_transform(**kwargs).transform_points(
                on_axis
            )[..., 2:]
            xy_depth = torch.cat(
                [xy.expand(*scaled.shape[:-1], 2), scaled], dim=-1
            )
        return (
            self._projection(world_coordinates, **kwargs)
            .inverse()
            .transform_points(xy_depth)
        )


class FoVPerspectiveCameras(_FieldOfViewCameras):
    r"""Perspective cameras by vertical field of view.

    .. math:: (x, y, z) = \Bigl(\frac{X}{a\,t Z},\; \frac{Y}{t Z},\;
              \frac{f\,(Z - n)}{(f - n)\, Z}\Bigr), \quad t = \tan(fov / 2)

    N: cameras.

    Args:
        znear: near plane n, (N,) or a number, metres.
        zfar: far plane f, (N,) or a number, metres.
        aspect_ratio: a, width over height of a pixel, (N,) or a number.
        fov: field of view, (N,) or a number.
        degrees: ``fov`` is in degrees, not in radians.
        R: (N, 3, 3), view = world @ R + T.
        T: (N, 3), metres.
        K: (N, 4, 4) instead of the field of view, to act on column vectors.
        device: where the cameras are.

    Raises:
        ValueError: batch sizes do not fit together.

    Example:
        >>> cameras = FoVPerspectiveCameras(fov=90.)
        >>> cameras.transform_points(torch.tensor([[0., 2., 4.]]))[0, :2]
        tensor([0.0000, 0.5000])
    """

    degrees: bool

    def __init__(
        self,
        znear: _Numbers = 1.0,
        zfar: _Numbers = 100.0,
        aspect_ratio: _Numbers = 1.0,
        fov: _Numbers = 60.0,
        degrees: bool = True,
        R: Tensor = _IDENTITY,
        T: Tensor = _ORIGIN,
        K: Tensor | None = None,
        device: torch.device | str = 'cpu',
    ) -> None:
        super().__init__(
            device=device,
            znear=znear,
            zfar=zfar,
            aspect_ratio=aspect_ratio,
            fov=fov,
            R=R,
            T=T,
            K=K,
            degrees=degrees,
        )

    def is_perspective(self) -> bool:
        """Distant things look small."""
        return True

    def compute_projection_matrix(
        self,
        znear: _Numbers,
        zfar: _Numbers,
        fov: _Numbers,
        aspect_ratio: _Numbers,
        degrees: bool,
    ) -> Tensor:
        """Write the field of view as projections (N, 4, 4).

        Args: see the class.
        """
        near, far, angle, aspect = (
            torch.as_tensor(number).to(self.R)
            for number in (znear, zfar, fov, aspect_ratio)
        )
        tangent = torch.tan(angle * (math.pi / 360 if degrees else 0.5))
        K = self.R.new_zeros(len(self), 4, 4)
        K[:, 0, 0] = 1 / (aspect * tangent)
        K[:, 1, 1] = 1 / tangent
        K[:, 2, 2] = far / (far - near)
        K[:, 2, 3] = -far * near / (far - near)
        K[:, 3, 2] = 1
        return K

    def get_projection_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from view space to NDC.

        Args:
            kwargs: ``K``, ``znear``, ``zfar``, ``fov``, ``aspect_ratio`` and
                ``degrees`` replace those of the cameras for this call.

        Raises:
            ValueError: ``K`` is not (N, 4, 4).
        """
        return self._project(
            ('znear', 'zfar', 'fov', 'aspect_ratio', 'degrees'), **kwargs
        )


class FoVOrthographicCameras(_FieldOfViewCameras):
    r"""Orthographic cameras by the box they see.

    .. math:: x = \frac{2 s_x X - (x_{max} + x_{min})}{x_{max} - x_{min}},
              \quad y \text{ likewise}, \quad
              z = \frac{s_z Z - n}{f - n}

    N: cameras.

    Args:
        znear: near plane n, (N,) or a number, metres.
        zfar: far plane f, (N,) or a number, metres.
        max_y: upper side of the box, (N,) or a number, metres.
        min_y: lower side.
        max_x: left side (+x is left).
        min_x: right side.
        scale_xyz: s, (N, 3).
        R: (N, 3, 3), view = world @ R + T.
        T: (N, 3), metres.
        K: (N, 4, 4) instead of the box, to act on column vectors.
        device: where the cameras are.

    Raises:
        ValueError: batch sizes do not fit together.

    Example:
        >>> cameras = FoVOrthographicCameras(max_x=2., min_x=-2.)
        >>> cameras.transform_points(torch.tensor([[1., 1., 1.]]))
        tensor([[0.5000, 1.0000, 0.0000]])
    """

    def __init__(
        self,
        znear: _Numbers = 1.0,
        zfar: _Numbers = 100.0,
        max_y: _Numbers = 1.0,
        min_y: _Numbers = -1.0,
        max_x: _Numbers = 1.0,
        min_x: _Numbers = -1.0,
        scale_xyz: Tensor | Sequence[Sequence[float]] = ((1.0, 1.0, 1.0),),
        R: Tensor = _IDENTITY,
        T: Tensor = _ORIGIN,
        K: Tensor | None = None,
        device: torch.device | str = 'cpu',
    ) -> None:
        super().__init__(
            device=device,
            znear=znear,
            zfar=zfar,
            max_y=max_y,
            min_y=min_y,
            max_x=max_x,
            min_x=min_x,
            scale_xyz=scale_xyz,
            R=R,
            T=T,
            K=K,
        )

    def is_perspective(self) -> bool:
        """Distant things do not look small."""
        return False

    def compute_projection_matrix(
        self,
        znear: _Numbers,
        zfar: _Numbers,
        max_x: _Numbers,
        min_x: _Numbers,
        max_y: _Numbers,
        min_y: _Numbers,
        scale_xyz: Tensor | Sequence[Sequence[float]],
    ) -> Tensor:
        """Write the box as projections (N, 4, 4).

        Args: see the class.
        """
        near, far, left, right, top, bottom, scale = (
            torch.as_tensor(number).to(self.R)
            for number in (znear, zfar, max_x, min_x, max_y, min_y, scale_xyz)
        )
        K = self.R.new_zeros(len(self), 4, 4)
        K[:, 0, 0] = 2 * scale[:, 0] / (left - right)
        K[:, 1, 1] = 2 * scale[:, 1] / (top - bottom)
        K[:, 2, 2] = scale[:, 2] / (far - near)
        K[:, 0, 3] = -(left + right) / (left - right)
        K[:, 1, 3] = -(top + bottom) / (top - bottom)
        K[:, 2, 3] = -near / (far - near)
        K[:, 3, 3] = 1
        return K

    def get_projection_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from view space to NDC.

        Args:
            kwargs: ``K``, ``znear``, ``zfar``, ``max_x``, ``min_x``,
                ``max_y``, ``min_y`` and ``scale_xyz`` replace those of the
                cameras for this call.

        Raises:
            ValueError: ``K`` is not (N, 4, 4).
        """
        return self._project(
            ('znear', 'zfar', 'max_x', 'min_x', 'max_y', 'min_y', 'scale_xyz'),
            **kwargs,
        )

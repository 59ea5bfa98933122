"""Cameras by focal length and principal point."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.camera_base import (
    CamerasBase,
    get_screen_to_ndc_transform,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms import Transform3d

_Numbers = Tensor | Sequence[float] | Sequence[Sequence[float]] | float
_IDENTITY = torch.eye(3)[None]
_ORIGIN = torch.zeros(1, 3)


class _CalibratedCameras(CamerasBase):
    r"""What perspective and orthographic cameras share.

    Cameras defined in pixels take the principal point as in an image, +x
    right and +y down, while the projection goes on with +x left: it is
    :math:`f X / Z + p` as it stands, and the signs meet on the way to NDC.

    It has no ``__init__``: see :func:`_init_calibrated`.
    """

    focal_length: Tensor
    principal_point: Tensor
    _in_ndc: bool

    def in_ndc(self) -> bool:
        """Whether focal length and principal point are in NDC."""
        return self._in_ndc

    def get_projection_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from view space to the projection.

        Args:
            kwargs: ``K``, ``focal_length`` and ``principal_point`` replace
                those of the cameras for this call.

        Raises:
            ValueError: ``K`` is not (N, 4, 4).
        """
        given = self._given_projection(**kwargs)
        if given is not None:
            return given
        K = _get_sfm_calibration_matrix(
            len(self),
            self.device,
            kwargs.get('focal_length', self.focal_length),
            kwargs.get('principal_point', self.principal_point),
            orthographic=not self.is_perspective(),
        )
        return Transform3d(matrix=K.mT)

    def get_principal_point(self, **kwargs: Any) -> Tensor:
        """Return the principal points (N, 2)."""
        matrix = self.get_projection_transform(**kwargs).get_matrix()
        return matrix[:, 2 if self.is_perspective() else 3, :2]

    def get_ndc_camera_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from the projection to NDC.

        Raises:
            ValueError: the cameras are in pixels and the image size is not
                known.
        """
        if self.in_ndc():
            return super().get_ndc_camera_transform(**kwargs)
        point = self.get_principal_point(**kwargs)
        # f X / Z + p -> f X / Z - p
        mirror = torch.eye(4).to(point).repeat(len(point), 1, 1)
        mirror[:, 3, :2] = -2 * point
        return Transform3d(matrix=mirror).compose(
            get_screen_to_ndc_transform(
                self,
                image_size=kwargs.get('image_size', self.get_image_size()),
            )
        )

    def _check_image_size(self) -> None:
        if self.image_size is not None and (self.image_size < 1).any():
            raise ValueError(
                'image sizes are whole images in pixels, not '
                f'{self.image_size.tolist()}'
            )


def _init_calibrated(
    self: _CalibratedCameras,
    focal_length: _Numbers = 1.0,
    principal_point: _Numbers = ((0.0, 0.0),),
    R: Tensor = _IDENTITY,
    T: Tensor = _ORIGIN,
    K: Tensor | None = None,
    device: torch.device | str = 'cpu',
    in_ndc: bool = True,
    image_size: Any = None,
) -> None:
    """Take what both cameras take: their ``__init__``.

    A function and not a method of their base, where MMHuman3D's cameras,
    which set themselves up, would meet it on the way to
    :class:`CamerasBase`.
    """
    super(_CalibratedCameras, self).__init__(
        device=device,
        focal_length=focal_length,
        principal_point=principal_point,
        R=R,
        T=T,
        K=K,
        _in_ndc=in_ndc,
        image_size=image_size,
    )
    self._check_image_size()


class PerspectiveCameras(_CalibratedCameras):
    r"""Perspective cameras by focal length and principal point.

    .. math:: (x, y, z) = (f_x X / Z + p_x,\; f_y Y / Z + p_y,\; 1 / Z)

    in NDC; on the screen :math:`(p_x - f_x X / Z,\; p_y - f_y Y / Z)` for
    cameras defined in pixels.

    N: cameras.

    Args:
        focal_length: a number, (N,) or (N, 2); NDC or pixels.
        principal_point: (N, 2); NDC or pixels.
        R: (N, 3, 3), view = world @ R + T.
        T: (N, 3), metres.
        K: (N, 4, 4) instead of focal length and principal point, to act on
            column vectors.
        device: where the cameras are.
        in_ndc: the two are in NDC, not in pixels.
        image_size: (N, 2), (height, width), pixels.

    Raises:
        ValueError: an image size is less than a pixel, or batch sizes do
            not fit together.

    Example:
        >>> cameras = PerspectiveCameras(
        ...     focal_length=100., principal_point=((32., 24.), ),
        ...     image_size=((48, 64), ), in_ndc=False)
        >>> cameras.transform_points_screen(torch.tensor([[-.1, 0., 1.]]))
        tensor([[42., 24.,  1.]])
    """

    __init__ = _init_calibrated

    def is_perspective(self) -> bool:
        """Distant things look small."""
        return True


class OrthographicCameras(_CalibratedCameras):
    r"""Orthographic cameras by focal length and principal point.

    .. math:: (x, y, z) = (f_x X + p_x,\; f_y Y + p_y,\; Z)

    in NDC. Arguments and errors as :class:`PerspectiveCameras`, the focal
    length per metre.

    Example:
        >>> cameras = OrthographicCameras(focal_length=2.)
        >>> cameras.transform_points(torch.tensor([[1., 2., 3.]]))
        tensor([[2., 4., 3.]])
    """

    __init__ = _init_calibrated

    def is_perspective(self) -> bool:
        """Distant things do not look small."""
        return False


def _get_sfm_calibration_matrix(
    N: int,
    device: torch.device | str,
    focal_length: _Numbers,
    principal_point: _Numbers,
    orthographic: bool = False,
) -> Tensor:
    """Write focal lengths and principal points as projections.

    Args:
        N: number of cameras.
        device: of the result.
        focal_length: a number, (N,), (N, 1) or (N, 2).
        principal_point: (2,) or (N, 2).
        orthographic: project along z, not towards the centre.

    Returns:
        Matrices (N, 4, 4) that act on column vectors.

    Example:
        >>> _get_sfm_calibration_matrix(1, 'cpu', 2., (.5, .25))[0]
        tensor([[2.0000, 0.0000, 0.5000, 0.0000],
                [0.0000, 2.0000, 0.2500, 0.0000],
                [0.0000, 0.0000, 0.0000, 1.0000],
                [0.0000, 0.0000, 1.0000, 0.0000]])
    """
    focal = torch.as_tensor(focal_length, device=device)
    point = torch.as_tensor(principal_point, device=device)
    dtype = torch.promote_types(focal.dtype, point.dtype)
    if not dtype.is_floating_point:
        dtype = torch.float32
    focal = focal.reshape(
        -1, 2 if focal.shape[-1:] == (2,) and focal.ndim == 2 else 1
    )
    K = torch.zeros(N, 4, 4, dtype=dtype, device=device)
    K[:, 0, 0], K[:, 1, 1] = focal[:, 0], focal[:, -1]
    if orthographic:
        K[:, :2, 3] = point.reshape(-1, 2)
        K[:, 2, 2] = K[:, 3, 3] = 1
    else:
        K[:, :2, 2] = point.reshape(-1, 2)
        K[:, 2, 3] = K[:, 3, 2] = 1
    return K

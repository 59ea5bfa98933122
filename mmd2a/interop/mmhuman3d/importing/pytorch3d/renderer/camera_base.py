"""What all cameras have in common, and the frames of images."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from mmd2a.interop.mmhuman3d.importing.absent_libraries import absent
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.utils import (
    TensorProperties,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms import (
    Rotate,
    Transform3d,
    Translate,
)

_CAMERAS = 'pytorch3d.renderer.cameras.CamerasBase'
_Size = Tensor | Sequence[int] | Sequence[Sequence[int]]


class CamerasBase(TensorProperties):
    """A batch of cameras: world -> view -> projection -> NDC -> screen.

    View space has +x left, +y up, +z forward. A camera's own projection
    leads to NDC or, where the camera says it is not :meth:`in_ndc`, to
    pixels; NDC and screen are defined in :func:`get_ndc_to_screen_transform`.

    N: cameras, P: points.

    Every method takes ``R`` (N, 3, 3) and ``T`` (N, 3), view = world @ R +
    T, to replace those of the cameras, also for calls to come; and
    ``image_size`` (N, 2) or (2,), (height, width), for this call.
    """

    R: Tensor
    T: Tensor
    K: Tensor | None
    image_size: Tensor | None
    unproject_points = absent(f'{_CAMERAS}.unproject_points')
    get_camera_center = absent(f'{_CAMERAS}.get_camera_center')

    def is_perspective(self) -> bool:
        """Whether distant things look small."""
        raise NotImplementedError(f'{type(self).__name__}.is_perspective')

    def in_ndc(self) -> bool:
        """Whether the projection leads to NDC, not to pixels."""
        raise NotImplementedError(f'{type(self).__name__}.in_ndc')

    def get_projection_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from view space to the projection."""
        raise NotImplementedError(
            f'{type(self).__name__}.get_projection_transform'
        )

    def get_image_size(self) -> Tensor | None:
        """Return (height, width) of the images (N, 2), where known."""
        return getattr(self, 'image_size', None)

    def get_world_to_view_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from world to view space."""
        self.R = kwargs.get('R', self.R)
        self.T = kwargs.get('T', self.T)
        return get_world_to_view_transform(self.R, self.T)

    def get_full_projection_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from the world to the projection."""
        return self.get_world_to_view_transform(**kwargs).compose(
            self.get_projection_transform(**kwargs)
        )

    def get_ndc_camera_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from the projection to NDC."""
        if self.in_ndc():
            return Transform3d(device=self.device, dtype=self.R.dtype)
        return get_screen_to_ndc_transform(
            self, image_size=kwargs.get('image_size', self.get_image_size())
        )

    def transform_points(
        self, points: Tensor, eps: float | None = None, **kwargs: Any
    ) -> Tensor:
        """Take points of the world to the projection.

        Args:
            points: (P, 3) or (N, P, 3), metres.
            eps: see :meth:`Transform3d.transform_points`.

        Returns:
            (N, P, 3); (P, 3) for points (P, 3) and one camera.
        """
        return self.get_full_projection_transform(**kwargs).transform_points(
            points, eps
        )

    def transform_points_ndc(
        self, points: Tensor, eps: float | None = None, **kwargs: Any
    ) -> Tensor:
        """Take points of the world to NDC, as :meth:`transform_points`."""
        return self._world_to_ndc(**kwargs).transform_points(points, eps)

    def transform_points_screen(
        self,
        points: Tensor,
        eps: float | None = None,
        with_xyflip: bool = True,
        **kwargs: Any,
    ) -> Tensor:
        """Take points of the world to pixels, as :meth:`transform_points`.

        Args:
            points: (P, 3) or (N, P, 3), metres.
            eps: see :meth:`Transform3d.transform_points`.
            with_xyflip: see :func:`get_ndc_to_screen_transform`.

        Returns:
            x, y in pixels and the projection's third coordinate, (N, P, 3);
            (P, 3) for points (P, 3) and one camera.
        """
        to_screen = get_ndc_to_screen_transform(
            self, with_xyflip, kwargs.get('image_size', self.get_image_size())
        )
        return (
            self._world_to_ndc(**kwargs)
            .compose(to_screen)
            .transform_points(points, eps)
        )

    def _world_to_ndc(self, **kwargs: Any) -> Transform3d:
        return self.get_full_projection_transform(**kwargs).compose(
            self.get_ndc_camera_transform(**kwargs)
        )

    def _given_projection(self, **kwargs: Any) -> Transform3d | None:
        """Return the projection ``K`` (N, 4, 4) where one is given."""
        K = kwargs.get('K', self.K)
        if K is None:
            return None
        if K.shape != (len(self), 4, 4):
            raise ValueError(
                f'{type(self).__name__} of {len(self)} cameras '
                f'takes K of shape ({len(self)}, 4, 4), not '
                f'{tuple(K.shape)}'
            )
        return Transform3d(matrix=K.mT, device=self.device)


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


def get_ndc_to_screen_transform(
    cameras: CamerasBase,
    with_xyflip: bool = False,
    image_size: _Size | None = None,
) -> Transform3d:
    r"""Return the transform from NDC to pixels.

    .. math:: u = W / 2 - s\, x, \quad v = H / 2 - s\, y,
              \quad s = \min(H, W) / 2

    The shorter side of the image spans [-1, 1], the longer one more. The
    third coordinate stays.

    Args:
        cameras: N cameras.
        with_xyflip: turn +x left, +y up to +x right, +y down, as written
            above; otherwise return (-u, -v).
        image_size: (height, width), (2,) or (N, 2), pixels.

    Raises:
        ValueError: the image size is not given.

    Example:
        >>> from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer import (
        ...     PerspectiveCameras)
        >>> to_screen = get_ndc_to_screen_transform(
        ...     PerspectiveCameras(), with_xyflip=True, image_size=(100, 200))
        >>> to_screen.transform_points(torch.tensor([[1., 1., 5.]]))
        tensor([[50.,  0.,  5.]])
    """
    if image_size is None:
        raise ValueError(
            'pixels and NDC can be converted only for a known '
            'image size: give the cameras, or this call, '
            'image_size=(height, width)'
        )
    size = torch.as_tensor(
        image_size, dtype=cameras.R.dtype, device=cameras.device
    ).reshape(-1, 2)
    size = size.expand(len(cameras), 2)
    # Columns of K act on (x, y, z, 1).
    K = torch.eye(4).to(size).repeat(len(size), 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = size.amin(dim=1) / 2
    K[:, :2, 3] = -size.flip(1) / 2
    if with_xyflip:
        K[:, :2] *= -1
    return Transform3d(matrix=K.mT)


def get_screen_to_ndc_transform(
    cameras: CamerasBase,
    with_xyflip: bool = False,
    image_size: _Size | None = None,
) -> Transform3d:
    """Undo :func:`get_ndc_to_screen_transform`.

    Args:
        cameras: N cameras.
        with_xyflip: see there.
        image_size: see there.

    Raises:
        ValueError: the image size is not given.
    """
    return get_ndc_to_screen_transform(
        cameras, with_xyflip, image_size
    ).inverse()

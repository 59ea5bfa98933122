"""Cameras by field of view, as MMHuman3D makes them: by a matrix."""

from typing import Any

from mmd2a.interop.mmhuman3d.importing.absent_libraries import absent
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer.camera_base import (
    CamerasBase,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.transforms import Transform3d


class _FieldOfViewCameras(CamerasBase):
    """What both kinds share: a projection ``K`` (N, 4, 4) that leads to NDC.

    It has no ``__init__``: MMHuman3D's cameras call that of the class after
    it, and mean :class:`CamerasBase`.
    """

    compute_projection_matrix = absent(
        'pytorch3d.renderer.cameras.compute_projection_matrix'
    )

    def in_ndc(self) -> bool:
        """Fields of view lead to NDC."""
        return True

    def get_projection_transform(self, **kwargs: Any) -> Transform3d:
        """Return the transform from view space to NDC.

        Args:
            kwargs: ``K`` (N, 4, 4) replaces that of the cameras.

        Raises:
            ImportError: there is no ``K``; PyTorch3D makes it of angles.
            ValueError: ``K`` is not (N, 4, 4).
        """
        given = self._given_projection(**kwargs)
        return self.compute_projection_matrix() if given is None else given


class FoVPerspectiveCameras(_FieldOfViewCameras):
    """Perspective cameras between two planes."""

    def is_perspective(self) -> bool:
        """Distant things look small."""
        return True


class FoVOrthographicCameras(_FieldOfViewCameras):
    """Orthographic cameras by the box they see."""

    def is_perspective(self) -> bool:
        """Distant things do not look small."""
        return False

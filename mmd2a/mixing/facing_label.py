"""Which way a person faces, as a class."""

import numpy as np
import torch
from mmcv.transforms import BaseTransform

from mmd2a.geometry.rotations import axis_angle_to_matrix
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class FacingLabel(BaseTransform):
    r"""Label a person by the direction the body faces, seen from the camera.

    .. math:: c = \operatorname{round}\Bigl(\frac{n}{2\pi}
              \operatorname{atan2}(f_x, -f_z)\Bigr) \bmod n

    with f the body's front in the camera frame (OpenCV). Class 0 faces the
    camera; with four classes, 1 faces the right of the image, 2 away and 3
    left. Sets ``gt_label``, as MMPretrain's classifiers read it. Follows the
    person through :class:`PersonCrop`, mirrored or turned.

    Args:
        num_classes: n, equal sectors of the full turn.

    Example:
        >>> facing_camera = np.array([np.pi, 0, 0])
        >>> FacingLabel()(dict(global_orient=facing_camera))['gt_label']
        0
    """

    def __init__(self, num_classes: int = 4) -> None:
        self.num_classes = num_classes

    def transform(self, results: dict) -> dict:
        """Add ``gt_label`` from ``global_orient``."""
        orient = torch.as_tensor(results['global_orient'], dtype=torch.float64)
        # The front of an SMPL body at rest is +z.
        front = axis_angle_to_matrix(orient)[:, 2].numpy()
        turns = np.arctan2(front[0], -front[2]) / (2 * np.pi)
        results['gt_label'] = (
            int(np.round(turns * self.num_classes)) % self.num_classes
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(num_classes={self.num_classes})'

"""The camera of a picture, and where in front of it a person stands."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mmd2a.apis.errors import InputError
from mmd2a.geometry import (
    denormalize_keypoints2d,
    project_points,
    weak_perspective_to_translation,
)

__all__ = [
    'PictureCamera',
    'bring_into_image',
    'cameras_from',
    'place_in_image',
    'project_to_image',
    'weak_camera',
]

_SOURCES = ('given', 'field of view', 'assumed')


class PictureCamera(NamedTuple):
    """A pinhole camera, and how it is known.

    Attributes:
        K: (3, 3) intrinsics, pixels; pixel centres at integers.
        source: ``'given'``, ``'field of view'`` or ``'assumed'``.

    Example:
        >>> PictureCamera.of((480, 640), fov=90.0).K.round(6).tolist()
        [[320.0, 0.0, 319.5], [0.0, 320.0, 239.5], [0.0, 0.0, 1.0]]
    """

    K: NDArray[np.float64]
    source: str

    @classmethod
    def of(
        cls,
        shape: tuple[int, int],
        K: NDArray | None = None,
        fov: float | None = None,
    ) -> 'PictureCamera':
        """The camera of a picture, of what is known of it.

        Args:
            shape: (H, W) of the picture.
            K: (3, 3) intrinsics, pixels; comes before ``fov``.
            fov: field of view across the longer side, degrees. None: that of
                the camera that CLIFF assumes, as in
                :class:`~mmd2a.datasets.transforms.LoadFrame`: its focal
                length is the diagonal of the picture.

        Raises:
            ValueError: an angle that no lens has.
        """
        if K is not None:
            return cls(np.asarray(K, np.float64), _SOURCES[0])
        if fov is None:
            return cls(_centred(float(np.hypot(*shape)), shape), _SOURCES[2])
        if not 0 < fov < 180:
            raise InputError(
                f'a field of view is more than 0 and less than 180 degrees, '
                f'got {fov}; phones have about 65, leave it out if unknown'
            )
        focal = max(shape) / 2 / np.tan(np.deg2rad(fov) / 2)
        return cls(_centred(float(focal), shape), _SOURCES[1])

    def fov(self, shape: tuple[int, int]) -> float:
        """Field of view across the longer side of (H, W), degrees."""
        focal = self.K[0, 0] if shape[1] >= shape[0] else self.K[1, 1]
        return float(np.rad2deg(2 * np.arctan(max(shape) / 2 / focal)))


def cameras_from(
    K: Any, count: int
) -> Callable[[int], NDArray[np.float64] | None]:
    """Make a source of whatever a caller gives as intrinsics.

    Args:
        K: None, (3, 3) of all pictures, or (count, 3, 3); pixels.
        count: pictures there are.

    Returns:
        The (3, 3) intrinsics of the picture at a place, or None.

    Raises:
        InputError: intrinsics of another form.

    Example:
        >>> cameras_from(np.eye(3), 5)(4).shape
        (3, 3)
    """
    if K is None:
        return lambda index: None
    matrices = np.asarray(K, np.float64)
    if matrices.shape == (3, 3):
        return lambda index: matrices
    if matrices.shape != (count, 3, 3):
        raise InputError(
            f'K is {matrices.shape}: give (3, 3), or ({count}, 3, 3) for '
            f'{count} pictures'
        )
    return lambda index: matrices[index]


def place_in_image(
    camera: NDArray, K_crop: NDArray, size: int
) -> NDArray[np.float64]:
    r"""Find the place of roots from what the network says of their crops.

    The weak-perspective camera tells the pixel of the root in the crop and
    its scale; the camera of the crop, K' = A K (see
    :class:`~mmd2a.geometry.CropCamera`), tells which ray that pixel is, and
    how far along it a metre looks that large:

    .. math:: t = z\,K'^{-1} (x, y, 1)^\top, \quad z = 2 f' / (s W)

    B: people. OpenCV camera frame, metres.

    Args:
        camera: (B, 3) weak perspective (s, tx, ty).
        K_crop: (B, 3, 3) intrinsics of the crops, pixels of the crops.
        size: side W of the square crops, pixels.

    Returns:
        (B, 3) place of the roots.

    Li et al., "CLIFF", ECCV 2022.

    Example:
        >>> K = np.array([[[200.0, 0, 49.5], [0, 200, 49.5], [0, 0, 1]]])
        >>> place_in_image(np.array([[1.0, 0.5, 0.0]]), K, 100).round(6)
        array([[0.5, 0. , 4. ]])
    """
    weak = torch.from_numpy(np.asarray(camera, np.float64))
    # As in HMR, but with a principal point that is not in the middle.
    focal = torch.from_numpy(np.sqrt(K_crop[:, 0, 0] * K_crop[:, 1, 1]))
    depth = weak_perspective_to_translation(weak, focal, size)[:, 2].numpy()
    root = (weak[:, :1] * weak[:, 1:])[:, None]
    pixel = denormalize_keypoints2d(root, (size, size))[:, 0].numpy()
    rays = np.linalg.solve(
        K_crop, np.concatenate([pixel, np.ones((len(pixel), 1))], 1)[..., None]
    )
    return depth[:, None] * rays[..., 0]


def weak_camera(
    root: NDArray, K: NDArray, crop_matrix: NDArray, size: int
) -> NDArray[np.float32]:
    """The camera of a crop that shows a root where it is.

    Inverse of :func:`place_in_image`, of one person.

    Args:
        root: (3,) camera frame, metres.
        K: (3, 3) intrinsics of the picture, pixels.
        crop_matrix: (2, 3) pixels of the picture -> of the crop.
        size: side of the square crop, pixels.

    Returns:
        (3,) weak perspective (s, tx, ty).

    Example:
        >>> K = np.array([[200.0, 0, 49.5], [0, 200, 49.5], [0, 0, 1]])
        >>> weak_camera(np.array([0.5, 0, 4]), K, np.eye(3)[:2], 100)
        array([1. , 0.5, 0. ], dtype=float32)
    """
    affine = np.eye(3)
    affine[:2] = crop_matrix
    lens = affine @ K
    focal = np.sqrt(lens[0, 0] * lens[1, 1])
    scale = 2 * focal / (size * root[2])
    place = (2 * (lens @ root)[:2] / root[2] + 1) / size - 1
    return np.array([scale, *(place / scale)], np.float32)


def project_to_image(
    points: NDArray, transl: NDArray, K: NDArray
) -> NDArray[np.float32]:
    """Project root-relative points with the camera of the picture.

    Args:
        points: (B, P, 3) relative to the root, metres.
        transl: (B, 3) place of the root, metres.
        K: (B, 3, 3) intrinsics, pixels.

    Returns:
        (B, P, 2) pixels of the picture.
    """
    placed = np.asarray(points, np.float64) + transl[:, None]
    pixels = project_points(torch.from_numpy(placed), torch.from_numpy(K))
    return pixels.numpy().astype(np.float32)


def bring_into_image(
    fields: dict[str, NDArray], K: NDArray
) -> dict[str, NDArray]:
    """Bring what a model tells of crops into the pictures that they are of.

    B: people.

    Args:
        fields: of the crops, with ``crop_matrix`` (B, 2, 3) and ``crop_size``
            (B, 2); see :class:`~mmd2a.apis.Predictor`. Changed in place.
        K: (B, 3, 3) intrinsics of their pictures, pixels.

    Returns:
        The same with ``K``, ``transl`` and ``keypoints2d`` of the pictures;
        ``transl`` of a fitted body has become ``smpl_transl``.
    """
    affine = np.zeros((len(K), 3, 3))
    affine[:, :2], affine[:, 2, 2] = fields['crop_matrix'], 1
    side = int(fields['crop_size'][0, 0])
    transl = place_in_image(fields['camera'], affine @ K, side)
    joints = fields['keypoints3d']
    fields['keypoints2d'] = project_to_image(joints, transl, K)
    if 'keypoints2d_localized' in fields:
        in_crop = denormalize_keypoints2d(
            torch.from_numpy(fields['keypoints2d_localized']), (side, side)
        )
        back = np.linalg.inv(affine).astype(np.float32)
        fields['keypoints2d_localized'] = (
            in_crop.numpy() @ back[:, :2, :2].transpose(0, 2, 1)
            + back[:, None, :2, 2]
        )
    if 'transl' in fields:
        # Of the fitted body, whose mesh is relative to the root.
        fields['smpl_transl'] = fields['transl'] + transl.astype(np.float32)
    fields['transl'] = transl.astype(np.float32)
    fields['K'] = K
    return fields


def _centred(focal: float, shape: tuple[int, int]) -> NDArray[np.float64]:
    height, width = shape
    return np.array(
        [[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]]
    )

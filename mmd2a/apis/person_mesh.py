"""What is known of one person in a picture, by names with units."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mmd2a.files import UnusableFileError, write_bytes, write_json

__all__ = ['PersonMesh', 'npz_bytes', 'people_of']

#: Fields of thousands of numbers, which JSON for people leaves out.
LONG_FIELDS = ('vertices', 'sigma', 'mask', 'keypoints3d_samples')


@dataclass(frozen=True, eq=False)
class PersonMesh:
    """The mesh of one person, and where it is.

    V: vertices, J: joints, S: shape components, (h, w): grid of the mask.
    Metres, radians; pixels of the picture, centres at integers; OpenCV camera
    frame (x right, y down, z forward). None: the model does not tell, or was
    not asked.

    Attributes:
        vertices: (V, 3) relative to the root of the joint set, m;
            ``vertices + transl`` is the mesh in the camera frame.
        keypoints3d: (J, 3) relative to the root, m.
        keypoints2d: (J, 2) pixels: ``keypoints3d + transl`` seen by ``K``.
        joint_names: J names.
        transl: (3,) the root in the camera frame, m.
        camera: (3,) weak perspective (s, tx, ty) of the crop.
        K: (3, 3) intrinsics of the picture, pixels.
        camera_source: ``'given'``, ``'field of view'`` or ``'assumed'``: how
            K is known, and so how far ``transl`` can be trusted. ``'world'``:
            fused of several cameras, in axes of the world.
        bbox: (4,) xyxy, pixels.
        score: of the box, in [0, 1]; 1 for boxes that were given.
        crop_matrix: (2, 3) pixels of the picture -> of the crop.
        crop_size: (height, width) of the crop, pixels.
        image_size: (height, width) of the picture, pixels.
        sigma: (V,) standard deviation of each vertex along an axis, m.
        keypoints3d_sigma: (J, 3) that of each joint, m.
        keypoints2d_localized: (J, 2) where a localizer saw the joints, pixels.
        keypoints3d_samples: (draws, J, 3) from their density, m.
        mask: (h, w) probability of the person over the crop.
        global_orient: (3,), body_pose: (69,), axis-angle, rad.
        betas: (S,).
        smpl_transl: (3,) with which these pose ``vertices + transl``, m.
        fit_residual: mean distance of that mesh to this one, m.
        track_id: of a video, the number that is this person's in all frames.
    """

    vertices: NDArray
    keypoints3d: NDArray
    keypoints2d: NDArray
    joint_names: tuple[str, ...]
    transl: NDArray
    camera: NDArray
    K: NDArray
    camera_source: str
    bbox: NDArray
    score: float
    crop_matrix: NDArray
    crop_size: tuple[int, int]
    image_size: tuple[int, int]
    sigma: NDArray | None = None
    keypoints3d_sigma: NDArray | None = None
    keypoints2d_localized: NDArray | None = None
    keypoints3d_samples: NDArray | None = None
    mask: NDArray | None = None
    global_orient: NDArray | None = None
    body_pose: NDArray | None = None
    betas: NDArray | None = None
    smpl_transl: NDArray | None = None
    fit_residual: float | None = None
    track_id: int | None = None

    @property
    def fov(self) -> float:
        """Field of view of ``K`` across the longer side, degrees."""
        axis = int(np.argmax(self.image_size))  # 0: the height
        focal = self.K[1 - axis, 1 - axis]
        side = self.image_size[axis]
        return float(np.rad2deg(2 * np.arctan(side / 2 / focal)))

    def image_mask(self) -> NDArray[np.float32] | None:
        """The mask in the picture, (H, W) probability; None: there is none."""
        if self.mask is None:
            return None
        height, width = self.mask.shape
        # Cells of the mask to pixels of the crop, then to the picture.
        wider = self.crop_size[1] / width
        taller = self.crop_size[0] / height
        to_mask = self.crop_matrix.copy()
        to_mask[:, 2] += 0.5
        to_mask /= [[wider], [taller]]
        to_mask[:, 2] -= 0.5
        mask = cv2.warpAffine(
            np.asarray(self.mask, np.float32),
            to_mask,
            self.image_size[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
        return np.asarray(mask, np.float32)

    def to_dict(self, long: bool = True) -> dict[str, Any]:
        """All fields that are known, by name.

        Args:
            long: with those of thousands of numbers (vertices, sigma, mask).
        """
        return {
            key: value
            for key, value in self._known()
            if long or key not in LONG_FIELDS
        }

    def save(self, path: str | Path) -> None:
        """Write all fields to a file that is either complete or not there.

        Args:
            path: ``.npz``, without objects, for
                ``numpy.load(allow_pickle=False)``; or ``.json``.

        Raises:
            UnusableFileError: another ending.
            OSError: the file cannot be written; says where and why.
        """
        suffix = Path(path).suffix.lower()
        if suffix == '.json':
            write_json(path, self.to_dict())
        elif suffix == '.npz':
            write_bytes(path, npz_bytes(dict(self._known())))
        else:
            raise UnusableFileError(
                'cannot tell the format', path, 'end it in .npz or .json'
            )

    def _known(self) -> Iterator[tuple[str, Any]]:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None:
                yield field.name, value


def people_of(
    answer: Mapping[str, NDArray],
    index: int,
    joint_names: tuple[str, ...],
    camera_source: str,
    image_size: tuple[int, int],
    scores: NDArray,
) -> list[PersonMesh]:
    """The people of one picture in an answer of a predictor.

    Args:
        answer: of :class:`~mmd2a.apis.Predictor`.
        index: of the picture, as ``image_index`` has it.
        joint_names: of the model.
        camera_source: how the camera of the picture is known.
        image_size: (height, width) of the picture, pixels.
        scores: of the people of the picture.
    """
    known = [f.name for f in fields(PersonMesh) if f.name in answer]
    people = []
    for row, score in zip(
        np.flatnonzero(answer['image_index'] == index), scores
    ):
        values: dict[str, Any] = {key: answer[key][row] for key in known}
        if 'fit_residual' in values:
            values['fit_residual'] = float(values['fit_residual'])
        values['crop_size'] = tuple(map(int, values['crop_size']))
        people.append(
            PersonMesh(
                **values,
                joint_names=joint_names,
                camera_source=camera_source,
                image_size=image_size,
                score=float(score),
            )
        )
    return people


def npz_bytes(values: Mapping[str, Any]) -> bytes:
    """An npz archive of arrays, numbers and texts, without objects."""
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {
        key: np.asarray(value) for key, value in values.items()
    }
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()

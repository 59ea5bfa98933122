"""Files of the people of a picture, or of a video."""

import errno
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.person_mesh import LONG_FIELDS, PersonMesh, npz_bytes
from mmd2a.files import write_bytes, write_json

__all__ = ['VideoFile', 'people_arrays', 'people_json', 'write_people']

UNITS = (
    'metres, radians, pixels with centres at integers; OpenCV camera frame; '
    'keypoints3d relative to the root, which is at transl'
)


def people_json(people: Sequence[PersonMesh], path: str) -> dict[str, Any]:
    """What JSON holds of the people of a picture: all but the long fields."""
    return dict(
        image_path=path,
        units=UNITS,
        left_out=f'{", ".join(LONG_FIELDS)}: in the .npz beside',
        people=[person.to_dict(long=False) for person in people],
    )


def people_arrays(
    people: Sequence[PersonMesh], faces: ArrayLike
) -> dict[str, Any]:
    """What an npz holds of people: fields (N, ...), and faces (F, 3)."""
    arrays: dict[str, Any] = dict(faces=np.asarray(faces, np.int32))
    if not people:
        return arrays | dict(bbox=np.zeros((0, 4)))
    names = list(people[0].to_dict())
    for name in names:
        arrays[name] = np.stack(
            [np.asarray(getattr(person, name)) for person in people]
        )
    arrays['joint_names'] = np.array(people[0].joint_names)
    return arrays


def write_people(
    folder: str | Path,
    stem: str,
    people: Sequence[PersonMesh],
    path: str,
    faces: ArrayLike,
    numbers: Sequence[int] | None = None,
) -> list[Path]:
    """Write ``STEM.json`` and ``STEM.npz``, each whole or not at all.

    Args:
        folder: made if needed.
        stem: name of the files.
        people: of the picture.
        path: of the picture, told in the JSON.
        faces: (F, 3) vertex indices of the body.
        numbers: of a video, the frame of each person.

    Returns:
        The files.

    Raises:
        OSError: a file cannot be written; says where and why.
    """
    json_file, npz_file = (
        Path(folder, f'{stem}{end}') for end in ('.json', '.npz')
    )
    arrays, content = people_arrays(people, faces), people_json(people, path)
    if numbers is not None:
        arrays['frame_number'] = np.array(numbers, np.int64)
        for number, person in zip(numbers, content['people']):
            person['frame_number'] = number
    write_bytes(npz_file, npz_bytes(arrays))
    write_json(json_file, content)
    return [json_file, npz_file]


class VideoFile:
    """A video that is either complete or not there.

    Args:
        path: ``.mp4``.
        fps: frames per second.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: str | Path, fps: float) -> None:
        self.path = Path(path)
        self.fps = fps if fps > 0 else 25.0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        name = f'.{self.path.stem[:48]}.{secrets.token_hex(4)}'
        self._incomplete = self.path.with_name(f'{name}.incomplete.mp4')
        self._writer: Any = None
        self._count = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        """Add a frame (H, W, 3) uint8 RGB; all of one size."""
        if self._writer is None:
            height, width = image.shape[:2]
            self._writer = cv2.VideoWriter(
                str(self._incomplete),
                cv2.VideoWriter.fourcc(*'mp4v'),
                self.fps,
                (width, height),
            )
            if not self._writer.isOpened():
                raise OSError(
                    errno.EACCES,
                    f'cannot write {self.path}: make its folder writable, or '
                    'choose another',
                )
        self._writer.write(np.ascontiguousarray(image[..., ::-1]))
        self._count += 1

    def finish(self) -> Path:
        """Give the whole video its name.

        Raises:
            OSError: not all of it was written, as on a full disk.
        """
        if self._writer is not None:
            self._writer.release()
            self._writer = None
            # OpenCV says nothing of what it could not write.
            capture = cv2.VideoCapture(str(self._incomplete))
            count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            capture.release()
            if count < self._count:
                self.discard()
                raise OSError(
                    errno.ENOSPC,
                    f'cannot write {self.path}: {count} of {self._count} '
                    'frames were written. Free some space, or choose another '
                    'folder',
                )
            os.replace(self._incomplete, self.path)
        return self.path

    def discard(self) -> None:
        """Leave nothing of a video that is not complete."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None
        self._incomplete.unlink(missing_ok=True)

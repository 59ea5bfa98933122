"""Files of the people of a picture."""

from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from mmd2a.apis.person_mesh import LONG_FIELDS, PersonMesh, npz_bytes
from mmd2a.files import UnusableFileError, read_npz, write_bytes, write_json

__all__ = [
    'UNITS',
    'people_arrays',
    'people_json',
    'read_people',
    'write_people',
]

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
) -> list[Path]:
    """Write ``STEM.json`` and ``STEM.npz``, each whole or not at all.

    Args:
        folder: made if needed.
        stem: name of the files.
        people: of the picture.
        path: of the picture, told in the JSON.
        faces: (F, 3) vertex indices of the body.

    Returns:
        The files.

    Raises:
        OSError: a file cannot be written; says where and why.
    """
    json_file, npz_file = (
        Path(folder, f'{stem}{end}') for end in ('.json', '.npz')
    )
    write_bytes(npz_file, npz_bytes(people_arrays(people, faces)))
    write_json(json_file, people_json(people, path))
    return [json_file, npz_file]


def read_people(path: str | Path) -> list[PersonMesh]:
    """Read the people of a file that this package wrote.

    Args:
        path: ``.npz`` of a picture, a video or a shard of labels.

    Raises:
        UnusableFileError: the file cannot be read, or is another one.
    """
    arrays = read_npz(path)
    if 'faces' in arrays and not len(arrays.get('bbox', [0])):
        return []  # Nobody was there.
    known = {field.name for field in fields(PersonMesh)}
    needed = {f.name for f in fields(PersonMesh) if f.default is MISSING}
    missing = sorted(needed - arrays.keys())
    if missing:
        raise UnusableFileError(
            f'the file holds no people: it lacks {", ".join(missing)}',
            path,
            'name an .npz that mmd2a predict or mmd2a label wrote',
        )
    names = tuple(map(str, arrays.pop('joint_names')))
    rows = {key: arrays[key] for key in arrays if key in known}
    return [
        PersonMesh(
            joint_names=names,
            **{key: _plain(key, rows[key][row]) for key in rows},
        )
        for row in range(len(arrays['bbox']))
    ]


def _plain(key: str, value: Any) -> Any:
    """An entry of an array as the field of a person has it."""
    if key in ('crop_size', 'image_size'):
        return tuple(map(int, value))
    return value.item() if np.ndim(value) == 0 else value

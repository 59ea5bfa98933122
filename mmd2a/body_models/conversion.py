"""From the official files of licensed bodies to npz files without pickles."""

import hashlib
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmd2a.body_models.body_advice import REQUIRED_KEYS, BodyFileError
from mmd2a.body_models.body_checks import (
    check_body,
    check_floats,
    check_row_sums,
)
from mmd2a.body_models.body_file import (
    OPTIONAL_KEYS,
    array_names,
    split_shapedirs,
)
from mmd2a.body_models.families import BodyFamily, check_gender
from mmd2a.files import open_regular_file, read_npy, read_npz, write_bytes
from mmd2a.files.restricted_pickle import read_pickle

__all__ = [
    'ConvertedBody',
    'convert_body_file',
    'convert_regressor_file',
    'is_regressor_file',
]

# SMPL-X in float64, pickled by Python 2 as text in which every byte beyond
# ASCII is two, and room for what is not used of it.
_MAX_BYTES = 2**30
_MAX_STEPS = 2**20
_MAX_ELEMENTS = 2**27
_GENDERS = dict(
    neutral=r'neutral|(^|_)n(_|$)',
    female=r'female|(^|_)f(_|$)',
    male=r'(?<!fe)male|(^|_)m(_|$)',
)
_FIX = 'give the official file as it was downloaded'


class ConvertedBody(NamedTuple):
    """A body that was converted."""

    path: Path
    """The npz that was written."""
    family: BodyFamily
    """Which body it is."""
    gender: str
    """``'neutral'``, ``'male'`` or ``'female'``."""
    num_vertices: int
    num_betas: int
    num_expression_coeffs: int
    sha256: str
    """Of the npz, which is the same for the same arrays."""

    def summary(self) -> str:
        """Say in some lines what was written."""
        official = self.family.num_vertices
        lines = [
            f'wrote {self.path}: {self.family.name}, {self.gender}, '
            f'{self.num_vertices:,} vertices, {self.family.num_joints} '
            f'joints, {self.num_betas} betas'
            + (
                f', {self.num_expression_coeffs} expression components'
                if self.family.has_expression
                else ''
            ),
            f'sha256 {self.sha256}',
        ]
        if self.num_vertices != official:
            lines.append(
                f'note: the official {self.family.name} has {official:,} '
                'vertices'
            )
        return '\n'.join(lines)


def convert_body_file(
    source: str | Path,
    out: str | Path,
    gender: str | None = None,
    mano: tuple[str | Path, str | Path] | None = None,
) -> ConvertedBody:
    """Convert an official file of SMPL, SMPL-H or SMPL-X.

    Pickles are read by a restricted unpickler, see
    :mod:`mmd2a.files.restricted_pickle`: nothing in them is run, and chumpy
    is not needed. What is written, in float32, has been checked as
    :func:`read_body_file` checks it.

    Args:
        source: pkl, of SMPL 1.0 or 1.1 with chumpy objects too, or npz.
        out: folder; the file is called such as ``SMPLX_NEUTRAL.npz``.
        gender: ``'neutral'``, ``'male'`` or ``'female'``; None: told by the
            name of the file or its folder.
        mano: ``MANO_LEFT.pkl`` and ``MANO_RIGHT.pkl``, for files of SMPL-H
            without hands.

    Raises:
        BodyFileError: the source is no such file, or its values cannot be.
        ValueError: another gender.
        UnusableFileError: it cannot be read, asks for what is not allowed or
            is damaged; names the file.
        OSError: ``out`` cannot be written.
    """
    if gender is not None:
        check_gender(gender)
    content = _read(source)
    arrays = {
        key: _array(content[key], key, source)
        for key in (*REQUIRED_KEYS, *OPTIONAL_KEYS)
        if key in content
    }
    missing = [key for key in REQUIRED_KEYS if key not in arrays]
    if missing:
        held = ascii(sorted(map(str, content))[:12])[1:-1] or 'nothing'
        raise BodyFileError(
            f'no body: it lacks {", ".join(missing)} and holds {held[:200]}',
            source,
            _FIX,
        )
    if mano is not None:
        arrays.update(_hands(mano))
    family = check_body(arrays, source)
    gender = gender or _gender_of(Path(source))
    target = Path(out, f'{family.prefix}_{gender.upper()}.npz')
    if target.exists() and target.samefile(source):
        raise BodyFileError(
            'the converted file would take the place of the official one',
            source,
            'choose another folder: --out FOLDER',
        )
    data = _npz_of(arrays)
    write_bytes(target, data)
    directions = [arrays['shapedirs']]
    if family.has_expression:
        directions = list(split_shapedirs(arrays['shapedirs']))
    return ConvertedBody(
        target,
        family,
        gender,
        len(arrays['v_template']),
        directions[0].shape[2],
        directions[1].shape[2] if family.has_expression else 0,
        hashlib.sha256(data).hexdigest(),
    )


def convert_regressor_file(source: str | Path, out: str | Path) -> Path:
    """Convert a pickled joint regressor, such as ``SMPLX_to_J14.pkl``.

    J: joints, V: vertices.

    Args:
        source: a pickled array (J, V), dense or sparse, or an npy file.
        out: folder for an npy file of the same name.

    Returns:
        The file.

    Raises:
        BodyFileError: it is no regressor.
        UnusableFileError: see :func:`convert_body_file`.
    """
    if _magic(source).startswith(b'\x93NUMPY'):
        content = read_npy(source, _MAX_BYTES)
    else:
        content = read_pickle(source, _MAX_BYTES, _MAX_STEPS)
    matrix = _array(content, 'the regressor', source)
    if matrix.ndim != 2 or matrix.dtype.kind != 'f' or not matrix.size:
        raise BodyFileError(
            f'an array {matrix.shape} of {matrix.dtype} is no joint regressor '
            '(joints, vertices)',
            source,
            _FIX,
        )
    check_floats(matrix, f'regressor {source}')
    check_row_sums(matrix, f'regressor {source}')
    file = io.BytesIO()
    np.save(file, matrix)
    target = Path(out, f'{Path(source).stem}.npy')
    write_bytes(target, file.getvalue())
    return target


def is_regressor_file(source: str | Path) -> bool:
    """Whether a file is called as joint regressors are.

    Example:
        >>> is_regressor_file('SMPLX_to_J14.pkl')
        True
    """
    name = Path(source).name.lower()
    return 'regressor' in name or '_to_j14' in name


def _magic(source: str | Path) -> bytes:
    with open_regular_file(source, _MAX_BYTES) as file:
        return file.read(8)


def _read(source: str | Path) -> Mapping[str, Any]:
    """The arrays of a file, told apart by its first bytes."""
    if _magic(source).startswith(b'PK'):
        # Official files hold dicts as well, which are not read.
        known = (*REQUIRED_KEYS, *OPTIONAL_KEYS)
        used = [key for key in array_names(Path(source)) if key in known]
        return read_npz(source, used or None, _MAX_BYTES)
    content = read_pickle(source, _MAX_BYTES, _MAX_STEPS)
    if not isinstance(content, dict):
        raise BodyFileError(
            f'no body, but a pickled {type(content).__name__}', source, _FIX
        )
    return content


def _array(value: Any, key: str, source: str | Path) -> np.ndarray:
    """An array of numbers, dense and no bigger than any of a body."""
    sparse = hasattr(value, 'toarray')
    if not sparse and not isinstance(value, np.ndarray):
        raise BodyFileError(
            f'{key} is a {type(value).__name__}, not an array', source, _FIX
        )
    if np.prod(value.shape, dtype=np.float64) > _MAX_ELEMENTS:
        raise BodyFileError(
            f'{key} has shape {tuple(value.shape)}, beyond any body',
            source,
            _FIX,
        )
    if value.dtype.kind not in 'fiu':
        raise BodyFileError(
            f'{key} is of {value.dtype}, not of numbers', source, _FIX
        )
    return value.toarray() if sparse else value


def _hands(mano: tuple[str | Path, str | Path]) -> dict[str, np.ndarray]:
    """Hands of SMPL-H, from the two files of MANO."""
    found = {}
    for side, path in zip('lr', mano):
        content = _read_mano(path)
        for key in ('mean', 'components'):
            found[f'hands_{key}{side}'] = _array(
                content[f'hands_{key}'], f'hands_{key}', path
            )
    return found


def _read_mano(path: str | Path) -> dict[str, Any]:
    content = read_pickle(path, _MAX_BYTES, _MAX_STEPS)
    keys = ('hands_mean', 'hands_components')
    if not isinstance(content, dict) or any(k not in content for k in keys):
        raise BodyFileError(
            f'no hand of MANO: it lacks {" or ".join(keys)}',
            path,
            'give MANO_LEFT.pkl and MANO_RIGHT.pkl',
        )
    return content


def _gender_of(source: Path) -> str:
    """Gender by the name of a file, or of the folder that it lies in."""
    for name in (source.stem.lower(), source.absolute().parent.name.lower()):
        found = [g for g, text in _GENDERS.items() if re.search(text, name)]
        if len(found) == 1:
            return found[0]
    raise BodyFileError(
        'the name of the file does not tell the gender of the body',
        source,
        'add --gender neutral, male or female',
    )


def _npz_of(arrays: Mapping[str, np.ndarray]) -> bytes:
    stored = {
        key: value.astype(
            np.float32
            if value.dtype.kind == 'f'
            else np.int64
            if key == 'kintree_table'
            else np.int32
        )
        for key, value in arrays.items()
    }
    if stored['kintree_table'][0, 0] != -1:  # 2^32 - 1 in official files.
        stored['kintree_table'][0, 0] = -1
    file = io.BytesIO()
    np.savez(file, **stored)  # type: ignore[arg-type]
    return file.getvalue()

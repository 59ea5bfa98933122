"""Reading body files: npz with the keys of SMPL, never a pickle."""

import zipfile
from collections.abc import Collection
from pathlib import Path

import numpy as np

from mmd2a.body_models.body_advice import (
    CONVERSION_HINT,
    EMBEDDED_HINT,
    MAX_BODY_BYTES,
    REQUIRED_KEYS,
    explain_absence,
    explain_pickle,
    explain_relative,
)
from mmd2a.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS, joint_names
from mmd2a.files import (
    UnusableFileError,
    open_regular_file,
    read_npy,
    read_npz,
)

__all__ = ['BodyFileError', 'read_body_file', 'read_regressor']

# What else is used where a file has it; other arrays are not even read.
OPTIONAL_KEYS = (
    *(f'{name}_regressor' for name in JOINT_SETS),
    'uv',
    'mirror_vertices',
)
_FLOATS = ('v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights')
# float16 rounds a row of skinning weights by 0.0005; regressors are sums over
# thousands of vertices.
_WEIGHT_TOLERANCE, _REGRESSOR_TOLERANCE = 0.01, 0.05
_MAX_EXTENT = 10.0  # metres
_MAX_REGRESSOR_BYTES = 2**26
_RELATIVES = {52: 'SMPL-H', 55: 'SMPL-X'}
_SAVE_AGAIN = 'convert the licensed file again, or leave path=None'


class BodyFileError(UnusableFileError):
    """A body file that is not what it should be."""


class MissingBodyError(BodyFileError, FileNotFoundError):
    """A body file that is not there."""


def read_body_file(path: str | Path) -> dict[str, np.ndarray]:
    """Read and check an SMPL-format npz.

    V: vertices, F: faces, S: shape components.

    Args:
        path: npz file with ``v_template`` (V, 3), ``f`` (F, 3),
            ``shapedirs`` (V, 3, S), ``posedirs`` (V, 3, 207),
            ``J_regressor`` (24, V), ``weights`` (V, 24) and
            ``kintree_table`` (2, 24), as SMPL names them; optionally
            ``h36m14_regressor`` (14, V) and ``coco17_regressor`` (17, V).

    Returns:
        dict[str, np.ndarray]: the arrays, floats as float32. Skinning weights
        and regressor rows are divided by their sums, so that what was rounded
        for storage is affine again. Adds ``part_labels`` (V,), the joint that
        moves each vertex most.

    Raises:
        BodyFileError: no npz, or not the arrays of an SMPL body: a shape, a
            type, values that are not finite, weights that do not sum to 1,
            another tree, faces without vertices, another unit.
        FileNotFoundError: there is no such file (a ``BodyFileError`` too).
    """
    arrays = _load(Path(path))
    _check_shapes(arrays, path)
    _check_values(arrays, path)
    for key, value in arrays.items():
        if value.dtype.kind == 'f':
            arrays[key] = value.astype(np.float32)
        else:  # In the byte order of this machine.
            arrays[key] = value.astype(value.dtype.newbyteorder('='))
    for key in ('weights', *_regressors(arrays)):
        arrays[key] = _normalize_rows(arrays[key])
    arrays['part_labels'] = arrays['weights'].argmax(1).astype(np.int64)
    return arrays


def read_regressor(
    joint_set: str, file: str | Path, num_vertices: int
) -> np.ndarray:
    """Read a joint regressor that lies beside its body: (J, V) float32.

    Args:
        joint_set: name of the joint set, which has J joints.
        file: npy file.
        num_vertices: V of the body.

    Raises:
        BodyFileError: no array of that shape whose rows weigh vertices.
        FileNotFoundError: there is no such file.
    """
    names = joint_names(joint_set)
    if not Path(file).exists():
        raise MissingBodyError(
            f'no joint regressor for {joint_set!r} at '
            f'{Path(file).absolute()}; give an npy file with an array '
            f'({len(names)}, {num_vertices})'
        )
    what = f'{joint_set} regressor {file}'
    matrix = read_npy(file, _MAX_REGRESSOR_BYTES)
    check_shape(matrix, (len(names), num_vertices), what)
    check_floats(matrix, what)
    check_row_sums(matrix, what)
    return matrix.astype(np.float32)


def _normalize_rows(matrix: np.ndarray) -> np.ndarray:
    matrix = matrix.astype(np.float64)
    return (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)


def _regressors(arrays: Collection[str]) -> list[str]:
    return ['J_regressor', *(k for k in OPTIONAL_KEYS[:-2] if k in arrays)]


def _load(path: Path) -> dict[str, np.ndarray]:
    if path.suffix.lower() in ('.pkl', '.pickle'):
        raise BodyFileError(explain_pickle(path))
    if not path.exists() or path.is_dir():
        raise MissingBodyError(explain_absence(path))
    names = _names(path)
    relative = _relative_by_name(names)
    if relative is not None:
        raise BodyFileError(explain_relative(path, relative))
    missing = [key for key in REQUIRED_KEYS if key not in names]
    if names and missing:
        raise BodyFileError(
            f'{path} lacks {", ".join(missing)}; it holds '
            f'{", ".join(sorted(names)[:12])}. An SMPL body needs '
            f'{", ".join(REQUIRED_KEYS)}. {EMBEDDED_HINT}'
        )
    used = [key for key in names if key in REQUIRED_KEYS + OPTIONAL_KEYS]
    try:
        return read_npz(path, used or None, MAX_BODY_BYTES)
    except UnusableFileError as error:
        hint = (
            CONVERSION_HINT
            if 'pickled' in str(error)
            else 'It may be cut off by a broken download.'
        )
        raise BodyFileError(
            f'{path} cannot be read as the npz file of a body: {error}. '
            f'{hint} {EMBEDDED_HINT}'
        ) from error


def _names(path: Path) -> list[str]:
    """Names of the arrays in an npz; none where it cannot be read at all."""
    try:
        with open_regular_file(path) as file:
            names = zipfile.ZipFile(file).namelist()
    except (UnusableFileError, zipfile.BadZipFile, RuntimeError, ValueError):
        return []  # Whoever reads it says why.
    return [name.removesuffix('.npy') for name in names]


def _relative_by_name(names: Collection[str]) -> str | None:
    """Another body of the family, by the arrays that only it has."""
    if any(name.startswith(('lmk_', 'dynamic_lmk')) for name in names):
        return 'SMPL-X'
    if any(name.startswith('hands_') for name in names):
        return 'SMPL-H'
    return None


def _check_shapes(arrays: dict[str, np.ndarray], path: str | Path) -> None:
    rows = {len(np.atleast_1d(arrays['J_regressor']))}
    rows.add(np.atleast_2d(arrays['weights']).shape[-1])
    relative = _RELATIVES.get(next(iter(rows))) if len(rows) == 1 else None
    if relative is not None:
        raise BodyFileError(explain_relative(path, relative))
    num_vertices = len(np.atleast_1d(arrays['v_template']))
    num_joints = len(SMPL_PARENTS)
    expected = {
        'v_template': (None, 3),
        'f': (None, 3),
        'shapedirs': (num_vertices, 3, None),
        'posedirs': (num_vertices, 3, 9 * (num_joints - 1)),
        'J_regressor': (num_joints, num_vertices),
        'weights': (num_vertices, num_joints),
        'kintree_table': (2, num_joints),
    }
    for name in JOINT_SETS:
        if f'{name}_regressor' in arrays:
            expected[f'{name}_regressor'] = (
                len(JOINT_SETS[name]),
                num_vertices,
            )
    for key, shape in expected.items():
        check_shape(arrays[key], shape, f'{key} of {path}')
        if 0 in arrays[key].shape:
            raise BodyFileError(f'{key} is empty', path, _SAVE_AGAIN)


def _check_values(arrays: dict[str, np.ndarray], path: str | Path) -> None:
    for key in (*_FLOATS, *_regressors(arrays)):
        check_floats(arrays[key], f'{key} of {path}')
    for key in ('f', 'kintree_table'):
        value = arrays[key]
        if (
            value.dtype.kind not in 'iuf'
            or not (np.isfinite(value) & (value == np.trunc(value))).all()
        ):
            raise BodyFileError(
                f'{key} holds values that are no whole numbers',
                path,
                _SAVE_AGAIN,
            )
    extent = float(np.ptp(arrays['v_template'].astype(np.float64), 0).max())
    if extent > _MAX_EXTENT:
        raise BodyFileError(
            f'v_template is {extent:.0f} m across, a body in another unit',
            path,
            'save v_template, shapedirs and posedirs in metres',
        )
    parents = arrays['kintree_table'][0].astype(np.int64)[1:]
    if tuple(parents) != SMPL_PARENTS[1:]:
        raise BodyFileError(
            'kintree_table is not the tree of SMPL (24 joints); other bodies '
            '(SMPL-H, SMPL-X) are not supported',
            path,
            _SAVE_AGAIN,
        )
    faces, num_vertices = arrays['f'], len(arrays['v_template'])
    if faces.min() < 0 or faces.max() >= num_vertices:
        raise BodyFileError(
            f'f points outside its {num_vertices} vertices', path, _SAVE_AGAIN
        )
    if arrays['weights'].min() < -_WEIGHT_TOLERANCE:
        raise BodyFileError('weights are negative', path, _SAVE_AGAIN)
    check_row_sums(arrays['weights'], f'weights of {path}', _WEIGHT_TOLERANCE)
    for key in _regressors(arrays):
        check_row_sums(arrays[key], f'{key} of {path}')


def check_shape(
    array: np.ndarray, shape: tuple[int | None, ...], what: str
) -> None:
    """Raise :class:`BodyFileError` unless ``array`` has this shape."""
    if array.ndim != len(shape) or any(
        want is not None and want != have
        for want, have in zip(shape, array.shape)
    ):
        wanted = ', '.join('any' if n is None else str(n) for n in shape)
        raise BodyFileError(
            f'{what} has shape {tuple(array.shape)}, expected ({wanted}). '
            f'To fix: {_SAVE_AGAIN}'
        )


def check_floats(array: np.ndarray, what: str) -> None:
    """Raise :class:`BodyFileError` unless all values are finite floats."""
    if array.dtype.kind != 'f':
        problem = f'is {array.dtype}, not floating point'
    elif not np.isfinite(array).all():
        problem = 'has values that are not finite'
    elif np.abs(array).max(initial=0) > np.finfo(np.float32).max:
        problem = 'has values beyond float32'
    else:
        return
    raise BodyFileError(f'{what} {problem}. To fix: {_SAVE_AGAIN}')


def check_row_sums(
    matrix: np.ndarray, what: str, tolerance: float = _REGRESSOR_TOLERANCE
) -> None:
    """Raise :class:`BodyFileError` unless every row sums to about 1."""
    sums = matrix.sum(1, dtype=np.float64)
    row = int(np.abs(sums - 1).argmax())
    if abs(sums[row] - 1) > tolerance:
        raise BodyFileError(
            f'{what}: row {row} sums to {sums[row]:.3g} and not to 1, so that '
            f'it does not weigh vertices. To fix: {_SAVE_AGAIN}'
        )

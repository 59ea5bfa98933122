"""Reading body files: npz with the keys of SMPL, never a pickle."""

from pathlib import Path

import numpy as np

from mmd2a.body_models.body_advice import (
    CONVERSION_HINT,
    EMBEDDED_HINT,
    MAX_BODY_BYTES,
    REQUIRED_KEYS,
    BodyFileError,
    MissingBodyError,
    explain_pickle,
)
from mmd2a.body_models.body_checks import check_body, regressor_keys
from mmd2a.body_models.joint_sets import JOINT_SETS
from mmd2a.body_models.locating import find_body_file
from mmd2a.body_models.regressor_files import read_regressor
from mmd2a.files import UnusableFileError, npz_names, read_npz

__all__ = [
    'OPTIONAL_KEYS',
    'BodyFileError',
    'MissingBodyError',
    'array_names',
    'read_body_file',
    'read_regressor',
    'split_shapedirs',
]

#: What else is used where a file has it; other arrays are not even read.
OPTIONAL_KEYS = (
    *(f'{name}_regressor' for name in JOINT_SETS),
    'hands_meanl',
    'hands_meanr',
    'hands_componentsl',
    'hands_componentsr',
    'uv',
    'mirror_vertices',
)
# Shape components of SMPL-X files before those of the expression; the first
# release has 10 of each.
_SHAPE_COMPONENTS, _EARLY_COMPONENTS = 300, 10
_ALL_COMPONENTS = 400


def read_body_file(path: str | Path) -> dict[str, np.ndarray]:
    """Read and check the npz of a body: SMPL, SMPL-H or SMPL-X.

    V: vertices, F: faces, J: joints, 24, 52 or 55, S: shape components, X:
    expression components.

    Args:
        path: npz file with ``v_template`` (V, 3), ``f`` (F, 3),
            ``shapedirs`` (V, 3, S), ``posedirs`` (V, 3, 9 (J - 1)),
            ``J_regressor`` (J, V), ``weights`` (V, J) and
            ``kintree_table`` (2, J), as SMPL names them; of SMPL-H and
            SMPL-X ``hands_meanl``, ``hands_meanr`` (45,), and optionally
            ``hands_componentsl``, ``hands_componentsr`` (P, 45). Of SMPL-X
            ``shapedirs`` (V, 3, S + X) end with the expression. Optionally
            ``h36m14_regressor`` (14, V) and ``coco17_regressor`` (17, V).

    Returns:
        dict[str, np.ndarray]: the arrays, floats as float32. Skinning weights
        and regressor rows are divided by their sums, so that what was rounded
        for storage is affine again. Adds ``part_labels`` (V,), the joint that
        moves each vertex most; of SMPL-X ``expressiondirs`` (V, 3, X), with
        which ``shapedirs`` ended.

    Raises:
        BodyFileError: no npz, or not the arrays of a body: a shape, a
            type, values that are not finite, weights that do not sum to 1,
            another tree, faces without vertices, another unit.
        FileNotFoundError: there is no such file (a ``BodyFileError`` too).
    """
    arrays = _load(Path(path))
    family = check_body(arrays, path)
    for key, value in arrays.items():
        if value.dtype.kind == 'f':
            arrays[key] = value.astype(np.float32)
        else:  # In the byte order of this machine.
            arrays[key] = value.astype(value.dtype.newbyteorder('='))
    for key in ('weights', *regressor_keys(arrays)):
        arrays[key] = _normalize_rows(arrays[key])
    arrays['part_labels'] = arrays['weights'].argmax(1).astype(np.int64)
    if family.has_expression:
        shape, expression = split_shapedirs(arrays['shapedirs'])
        arrays.update(shapedirs=shape, expressiondirs=expression)
    return arrays


def split_shapedirs(shapedirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Split directions of SMPL-X into those of shape and of expression.

    Files have 300 and 100, or 10 and 10 in the first release.

    Example:
        >>> shape, expression = split_shapedirs(np.zeros((5, 3, 400)))
        >>> shape.shape, expression.shape
        ((5, 3, 300), (5, 3, 100))
    """
    number = shapedirs.shape[2]
    first = _EARLY_COMPONENTS
    if number >= _ALL_COMPONENTS:
        first = _SHAPE_COMPONENTS
    last = _ALL_COMPONENTS if first == _SHAPE_COMPONENTS else 2 * first
    return shapedirs[:, :, :first], shapedirs[:, :, first:last]


def _normalize_rows(matrix: np.ndarray) -> np.ndarray:
    matrix = matrix.astype(np.float64)
    return (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)


def _load(path: Path) -> dict[str, np.ndarray]:
    if path.suffix.lower() in ('.pkl', '.pickle'):
        raise BodyFileError(explain_pickle(path))
    path = find_body_file(path)
    names = array_names(path)
    missing = [key for key in REQUIRED_KEYS if key not in names]
    if names and missing:
        raise BodyFileError(
            f'{path} lacks {", ".join(missing)}; it holds '
            f'{", ".join(sorted(names)[:12])[:200]}. A body needs '
            f'{", ".join(REQUIRED_KEYS)}. {CONVERSION_HINT}. {EMBEDDED_HINT}'
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


def array_names(path: Path) -> list[str]:
    """Names of the arrays in an npz; none where it cannot be read at all.

    Example:
        >>> array_names(Path('no_such_file.npz'))
        []
    """
    try:
        return npz_names(path)
    except UnusableFileError:
        return []  # Whoever reads it says why.

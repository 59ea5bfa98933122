"""Whether arrays are those of a body: shapes, types and values."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from mmd2a.body_models.body_advice import BodyFileError
from mmd2a.body_models.families import FAMILIES, BodyFamily
from mmd2a.body_models.joint_sets import JOINT_SETS

__all__ = [
    'check_body',
    'check_floats',
    'check_row_sums',
    'check_shape',
    'regressor_keys',
]

_FLOATS = ('v_template', 'shapedirs', 'posedirs', 'J_regressor', 'weights')
_HANDS = (
    'hands_meanl',
    'hands_meanr',
    'hands_componentsl',
    'hands_componentsr',
)
_HAND_NUMBERS = 45  # 15 joints of a hand, three numbers each.
# float16 rounds a row of skinning weights by 0.0005; regressors are sums over
# thousands of vertices.
_WEIGHT_TOLERANCE, _REGRESSOR_TOLERANCE = 0.01, 0.05
_MAX_EXTENT = 10.0  # metres
_SAVE_AGAIN = 'convert the licensed file again, or leave path=None'


def check_body(arrays: dict[str, np.ndarray], path: str | Path) -> BodyFamily:
    """Check the arrays of a body, as :func:`read_body_file` names them.

    Args:
        arrays: by the names that SMPL gives them.
        path: where they are from, for errors.

    Returns:
        The family of the body.

    Raises:
        BodyFileError: a shape, a type, a value, a tree that no body has.
    """
    family = _family(arrays, path)
    _check_shapes(arrays, family, path)
    _check_values(arrays, family, path)
    return family


def regressor_keys(arrays: Collection[str]) -> list[str]:
    """Names of the regressors among the arrays of a body.

    Example:
        >>> regressor_keys(['v_template', 'h36m14_regressor'])
        ['J_regressor', 'h36m14_regressor']
    """
    extra = (f'{name}_regressor' for name in JOINT_SETS)
    return ['J_regressor', *(key for key in extra if key in arrays)]


def _family(arrays: dict[str, np.ndarray], path: str | Path) -> BodyFamily:
    """Family by the number of joints, of regressor and skinning weights."""
    regressed = len(np.atleast_1d(arrays['J_regressor']))
    skinned = np.atleast_2d(arrays['weights']).shape[-1]
    family = FAMILIES.get(regressed) or FAMILIES.get(skinned)
    if family is None:
        known = ', '.join(f'{f.name} of {n}' for n, f in FAMILIES.items())
        raise BodyFileError(
            f'a body of {regressed} joints, known are {known}',
            path,
            'give one of these; hands (MANO) and heads (FLAME) alone are none',
        )
    missing = [key for key in _HANDS[:2] if key not in arrays]
    if family.has_hands and missing:
        raise BodyFileError(
            f'a body of {family.name} without {", ".join(missing)}',
            path,
            'convert the licensed file with tools/body/convert_smpl.py '
            '--mano-left MANO_LEFT.pkl --mano-right MANO_RIGHT.pkl',
        )
    return family


def _check_shapes(
    arrays: dict[str, np.ndarray], family: BodyFamily, path: str | Path
) -> None:
    num_vertices = len(np.atleast_1d(arrays['v_template']))
    num_joints = family.num_joints
    expected: dict[str, tuple[int | None, ...]] = {
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
            rows = len(JOINT_SETS[name])
            expected[f'{name}_regressor'] = (rows, num_vertices)
    for key in _HANDS if family.has_hands else ():
        if key in arrays:
            rest = (_HAND_NUMBERS,)
            expected[key] = rest if 'mean' in key else (None, *rest)
    for key, shape in expected.items():
        check_shape(arrays[key], shape, f'{key} of {path}')
        if 0 in arrays[key].shape:
            raise BodyFileError(f'{key} is empty', path, _SAVE_AGAIN)


def _check_values(
    arrays: dict[str, np.ndarray], family: BodyFamily, path: str | Path
) -> None:
    hands = [key for key in _HANDS if family.has_hands and key in arrays]
    for key in (*_FLOATS, *regressor_keys(arrays), *hands):
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
    if tuple(parents) != family.parents[1:]:
        raise BodyFileError(
            f'kintree_table is not the tree of {family.name} '
            f'({family.num_joints} joints)',
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
    for key in regressor_keys(arrays):
        check_row_sums(arrays[key], f'{key} of {path}')


def check_shape(
    array: np.ndarray, shape: tuple[int | None, ...], what: str
) -> None:
    """Raise :class:`BodyFileError` unless ``array`` has this shape.

    Example:
        >>> check_shape(np.zeros((4, 3)), (None, 3), 'v_template')
    """
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
    """Raise :class:`BodyFileError` unless all values are finite floats.

    Example:
        >>> check_floats(np.zeros(3), 'v_template')
    """
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
    """Raise :class:`BodyFileError` unless every row sums to about 1.

    Example:
        >>> check_row_sums(np.full((2, 4), 0.25), 'weights')
    """
    sums = matrix.sum(1, dtype=np.float64)
    row = int(np.abs(sums - 1).argmax())
    if abs(sums[row] - 1) > tolerance:
        raise BodyFileError(
            f'{what}: row {row} sums to {sums[row]:.3g} and not to 1, so that '
            f'it does not weigh vertices. To fix: {_SAVE_AGAIN}'
        )

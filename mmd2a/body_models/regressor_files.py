"""Joint regressors that lie beside a body, as SPIN and others give them."""

import os
from pathlib import Path

import numpy as np

from mmd2a.body_models.body_advice import BodyFileError, MissingBodyError
from mmd2a.body_models.body_checks import (
    check_floats,
    check_row_sums,
    check_shape,
)
from mmd2a.body_models.joint_sets import joint_names
from mmd2a.body_models.locating import find_in_folder
from mmd2a.files import UnusableFileError, read_npy, read_npz

__all__ = [
    'EXTRA_JOINTS',
    'REGRESSOR_FILES',
    'read_regressor',
    'regressor_fits',
    'regressor_joints',
]

#: Files that are looked for in ``$MMD2A_BODY_MODEL_DIR``, by joint set.
REGRESSOR_FILES: dict[str, tuple[str, ...]] = dict(
    h36m14=('J_regressor_h36m.npy', 'SMPLX_to_J14.npy'),
    smpl_extra9=('J_regressor_extra.npy',),
)
#: The rows of ``J_regressor_extra.npy``, joint set ``'smpl_extra9'``, named as
#: MMHuman3D names them.
EXTRA_JOINTS = (
    'right_hip_extra',
    'left_hip_extra',
    'neck_extra',
    'headtop',
    'pelvis_extra',
    'thorax_extra',
    'spine_extra',
    'jaw_extra',
    'head_extra',
)
# Rows of J_regressor_h36m.npy, (17, V), that are h36m14: HMR's H36M_TO_J14.
_H36M_TO_J14 = (6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10)
_MAX_BYTES = 2**26


def regressor_joints(joint_set: str) -> tuple[str, ...]:
    """Name the joints of a set that a regressor is of.

    Raises:
        KeyError: there is no such set.

    Example:
        >>> regressor_joints('smpl_extra9')[3]
        'headtop'
    """
    if joint_set == 'smpl_extra9':
        return EXTRA_JOINTS
    return joint_names(joint_set)


def read_regressor(
    joint_set: str, file: str | Path, num_vertices: int
) -> np.ndarray:
    """Read a joint regressor that lies beside its body: (J, V) float32.

    Args:
        joint_set: name of the joint set, which has J joints. Of
            ``'h36m14'``, a file of 17 rows is ``J_regressor_h36m.npy``, of
            which those 14 are taken.
        file: npy file, or npz file of one array; looked for in
            ``$MMD2A_BODY_MODEL_DIR`` too.
        num_vertices: V of the body.

    Raises:
        BodyFileError: no array of that shape whose rows weigh vertices.
        FileNotFoundError: there is no such file.
    """
    names = regressor_joints(joint_set)
    found = Path(file) if os.path.exists(file) else find_in_folder(file)
    if found is None:
        raise MissingBodyError(
            f'no joint regressor for {joint_set!r} at '
            f'{Path(file).absolute()}; give an npy file with an array '
            f'({len(names)}, {num_vertices})'
        )
    what = f'{joint_set} regressor {found}'
    matrix = _read(found)
    if _is_h36m17(joint_set, matrix):
        matrix = matrix[list(_H36M_TO_J14)]
    check_shape(matrix, (len(names), num_vertices), what)
    check_floats(matrix, what)
    check_row_sums(matrix, what)
    return matrix.astype(np.float32)


def regressor_fits(
    joint_set: str, file: str | Path, num_vertices: int
) -> bool:
    """Whether a file is of a body with so many vertices.

    Raises:
        BodyFileError: it cannot be read.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), 'a.npy')
        >>> np.save(path, np.full((14, 50), 0.02))
        >>> regressor_fits('h36m14', path, 50)
        True
    """
    matrix = _read(Path(file))
    return matrix.ndim == 2 and matrix.shape[1] == num_vertices


def _read(path: Path) -> np.ndarray:
    try:
        if path.suffix.lower() != '.npz':
            return read_npy(path, _MAX_BYTES)
        arrays = read_npz(path, None, _MAX_BYTES)
    except UnusableFileError as error:
        raise BodyFileError(f'no joint regressor can be read: {error}') from (
            error
        )
    if len(arrays) != 1:
        raise BodyFileError(
            f'{len(arrays)} arrays in the file of a joint regressor',
            path,
            'save one array (joints, vertices) with numpy.save',
        )
    return next(iter(arrays.values()))


def _is_h36m17(joint_set: str, matrix: np.ndarray) -> bool:
    return joint_set == 'h36m14' and matrix.ndim == 2 and len(matrix) == 17

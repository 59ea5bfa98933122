"""Reading body files: npz with the keys of SMPL, never a pickle."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from mmd2a.body_models.joint_sets import JOINT_SETS, SMPL_PARENTS

__all__ = ['BodyFileError', 'read_body_file']

REQUIRED_KEYS = (
    'v_template',
    'f',
    'shapedirs',
    'posedirs',
    'J_regressor',
    'weights',
    'kintree_table',
)
EMBEDDED_HINT = (
    'Leave path=None to use the free body that comes with the package.'
)
CONVERSION_HINT = """\
Save its arrays once, in an environment where the `smplx` package reads the
licensed file, as an npz without pickled objects:

    import numpy as np, smplx
    m = smplx.SMPL('SMPL_NEUTRAL.pkl')
    parents = m.parents.numpy().copy()
    parents[0] = -1
    np.savez_compressed(
        'SMPL_NEUTRAL.npz',
        v_template=m.v_template.numpy(),            # (V, 3)
        f=m.faces.astype('int64'),                  # (F, 3)
        shapedirs=m.shapedirs.numpy(),              # (V, 3, num_betas)
        posedirs=m.posedirs.numpy().T.reshape(      # (V, 3, 207)
            len(m.v_template), 3, -1),
        J_regressor=m.J_regressor.numpy(),          # (24, V)
        weights=m.lbs_weights.numpy(),              # (V, 24)
        kintree_table=np.stack([parents, np.arange(24)]))"""


class BodyFileError(ValueError):
    """A body file that is not what it should be."""


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
    """
    arrays = _load(Path(path))
    _check(arrays, path)
    for key, value in arrays.items():
        if value.dtype.kind == 'f':
            arrays[key] = value.astype(np.float32)
    for key in ('weights', 'J_regressor', *_extra_regressors(arrays)):
        arrays[key] = _normalize_rows(arrays[key])
    arrays['part_labels'] = arrays['weights'].argmax(1).astype(np.int64)
    return arrays


def _normalize_rows(matrix: np.ndarray) -> np.ndarray:
    matrix = matrix.astype(np.float64)
    return (matrix / matrix.sum(1, keepdims=True)).astype(np.float32)


def _extra_regressors(arrays: dict[str, np.ndarray]) -> list[str]:
    return [
        f'{name}_regressor'
        for name in JOINT_SETS
        if f'{name}_regressor' in arrays
    ]


def _load(path: Path) -> dict[str, np.ndarray]:
    if path.suffix.lower() in ('.pkl', '.pickle'):
        raise BodyFileError(
            f'{path} is a pickled body model. Pickles can run code when they '
            f'are read, so only npz files are taken. {CONVERSION_HINT}\n'
            f"Then pass path='SMPL_NEUTRAL.npz'. {EMBEDDED_HINT}"
        )
    if not path.is_file():
        raise FileNotFoundError(_missing(path))
    try:
        with np.load(path, allow_pickle=False) as file:
            return {key: file[key] for key in file.files}
    except (BadZipFile, EOFError, OSError) as error:
        raise BodyFileError(
            f'{path} cannot be read as an npz file ({error}); it may be cut '
            f'off by a broken download. {EMBEDDED_HINT}'
        ) from error
    except ValueError as error:
        raise BodyFileError(
            f'{path} holds pickled objects, which are not read ({error}). '
            f'{CONVERSION_HINT}'
        ) from error


def _missing(path: Path) -> str:
    folder = path.parent.absolute()
    if path.is_dir():
        reason = 'a file is needed, and this is a folder'
        folder = path.absolute()
    elif folder.is_dir():
        reason = 'the folder exists, the file does not'
    else:
        reason = 'the folder does not exist either'
    near = (
        sorted(
            p.name for p in folder.glob('*') if p.suffix in ('.npz', '.pkl')
        )
        if folder.is_dir()
        else []
    )
    found = f' It holds: {", ".join(near[:8])}.' if near else ''
    return (
        f'no body model at {path.absolute()} ({reason}).{found}\n'
        f'SMPL bodies are licensed: register at https://smpl.is.tue.mpg.de, '
        f'download SMPL_python_v.1.1.0.zip and convert the pickled file '
        f'inside. {CONVERSION_HINT}\n{EMBEDDED_HINT}'
    )


def _check(arrays: dict[str, np.ndarray], path: str | Path) -> None:
    missing = [key for key in REQUIRED_KEYS if key not in arrays]
    if missing:
        raise BodyFileError(
            f'{path} lacks {", ".join(missing)}; it holds '
            f'{", ".join(sorted(arrays)) or "nothing"}. An SMPL body needs '
            f'{", ".join(REQUIRED_KEYS)}. {EMBEDDED_HINT}'
        )
    num_vertices = len(arrays['v_template'])
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
    parents = arrays['kintree_table'][0].astype(np.int64)[1:]
    if tuple(parents) != SMPL_PARENTS[1:]:
        raise BodyFileError(
            f'kintree_table of {path} is not the tree of '
            f'SMPL (24 joints); other bodies (SMPL-H, '
            f'SMPL-X) are not supported'
        )
    faces = arrays['f']
    if faces.min() < 0 or faces.max() >= num_vertices:
        raise BodyFileError(
            f'f of {path} points outside its {num_vertices} vertices'
        )


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
            f'{what} has shape {tuple(array.shape)}, expected ({wanted})'
        )

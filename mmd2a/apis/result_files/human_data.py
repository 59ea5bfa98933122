"""People as HumanData, the annotation file of MMHuman3D."""

import io
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.result_files.checks import check_finite, check_suffix
from mmd2a.body_models import JOINT_SETS, human_data_indices, joint_names
from mmd2a.datasets.human_data import HumanDataStore
from mmd2a.files import write_bytes

__all__ = ['export_human_data', 'write_human_data']

_NUM_KEYPOINTS = 190
_SMPL_SHAPES = dict(
    global_orient=(3,), body_pose=(23, 3), betas=(None,), transl=(3,)
)


def write_human_data(
    path: str | Path,
    image_paths: Sequence[str],
    bboxes: ArrayLike | None = None,
    bbox_scores: ArrayLike | None = None,
    smpl: Mapping[str, ArrayLike] | None = None,
    keypoints2d: ArrayLike | None = None,
    keypoints3d: ArrayLike | None = None,
    joint_set: str | None = None,
) -> None:
    """Write people as the npz that MMHuman3D trains and evaluates on.

    Its frame is ours, OpenCV's camera, so nothing is turned. Keypoints are
    spread over the 190 of HumanData, and the masks say which are there.

    The reader is ``HumanData.fromfile``, which unpickles. Only one entry
    needs that, ``smpl``, since HumanData has a dict there; it holds arrays
    alone and opens under any NumPy from 1.x on. Everything else is plain
    arrays, which :func:`mmd2a.files.read_npz` reads by ``keys`` without
    unpickling.

    N: people, J: joints of the set, S: shape components.

    Args:
        path: ``.npz`` file; its folder is made if needed.
        image_paths: N paths, relative to the folder of the data set.
        bboxes: (N, 4) x1, y1, x2, y2 in pixels; None: unknown.
        bbox_scores: (N,) confidences; None: 1.
        smpl: ``global_orient`` (N, 3), ``body_pose`` (N, 69) or (N, 23, 3),
            ``betas`` (N, S), ``transl`` (N, 3), as many as are known;
            axis-angle in radians, metres; None: unknown.
        keypoints2d: (N, J, 3) pixels of the image and a confidence.
        keypoints3d: (N, J, 4) metres and a confidence.
        joint_set: of the keypoints.

    Raises:
        ValueError: another suffix, a wrong shape, numbers that are not
            finite, an unknown parameter, or keypoints without their set.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from mmd2a.files import read_npz
        >>> path = Path(tempfile.mkdtemp(), 'people.npz')
        >>> write_human_data(path, ['a.jpg'], [[10, 20, 40, 80]])
        >>> read_npz(path)['bbox_xywh']
        array([[10., 20., 30., 60.,  1.]], dtype=float32)

    MMHuman3D, "HumanData", docs/human_data.md.
    """
    check_suffix(path, '.npz')
    number = len(image_paths)
    if isinstance(image_paths, str) or not number:
        raise ValueError(
            'image_paths must be a list with one path per person, at least one'
        )
    arrays: dict[str, NDArray] = dict(
        __key_strict__=np.array(False),
        __data_len__=np.array(number),
        __keypoints_compressed__=np.array(False),
        image_path=np.array([str(item) for item in image_paths]),
    )
    if bboxes is not None:
        boxes = _check('bboxes', bboxes, (number, 4))
        scores = np.ones(number) if bbox_scores is None else bbox_scores
        scores = _check('bbox_scores', scores, (number,))
        size = boxes[:, 2:] - boxes[:, :2]
        arrays['bbox_xywh'] = np.column_stack([boxes[:, :2], size, scores])
    for name, points, dims in (
        ('keypoints2d', keypoints2d, 3),
        ('keypoints3d', keypoints3d, 4),
    ):
        if points is not None:
            arrays |= _spread(name, points, (number, dims), joint_set)
    people = {} if smpl is None else dict(smpl=_check_smpl(smpl, number))
    write_bytes(path, _to_npz(arrays, people))


def export_human_data(path: str | Path, store: HumanDataStore) -> None:
    """Write a store of HumanData as an npz again.

    Every array has the type and the bytes that it had in the npz of which
    the store was made; ``HumanData.fromfile`` reads it.

    Args:
        path: ``.npz`` file; its folder is made if needed.
        store: see :func:`~mmd2a.datasets.open_human_data`.

    Raises:
        ValueError: another suffix.
        OSError: the file cannot be written.
    """
    check_suffix(path, '.npz')
    arrays: dict[str, NDArray] = {}
    dicts: dict[str, dict] = {}
    for name, column in store.columns.items():
        top, _, rest = name.partition('/')
        is_list = store.listing[name].is_list
        if not rest:
            arrays[name] = column
        else:
            _put(dicts.setdefault(top, {}), rest, column, is_list)
    for name, value in store.values.items():
        top, _, rest = name.partition('/')
        if not rest:
            arrays[name] = np.array(value)
        else:
            _put(dicts.setdefault(top, {}), rest, value, False)
    write_bytes(path, _to_npz(arrays, dicts))


def _put(target: dict, name: str, value: Any, is_list: bool) -> None:
    """Put a value into nested dicts, by names joined with a slash."""
    *folders, last = name.split('/')
    for folder in folders:
        target = target.setdefault(folder, {})
    if is_list:
        value = value.tolist()
    elif isinstance(value, np.ndarray):
        value = np.array(value)  # Of its own, not of the file.
    target[last] = value


def _check(
    name: str, values: ArrayLike, shape: tuple[int | None, ...]
) -> NDArray[np.float32]:
    array = np.asarray(values, np.float32)
    fits = array.ndim == len(shape) and all(
        want in (None, have) for want, have in zip(shape, array.shape)
    )
    if not fits:
        wanted = ', '.join('S' if n is None else str(n) for n in shape)
        raise ValueError(
            f'{name} have shape {array.shape}, expected ({wanted}): one row '
            'per path in image_paths'
        )
    check_finite(name, array)
    return array


def _check_smpl(
    smpl: Mapping[str, ArrayLike], number: int
) -> dict[str, NDArray[np.float32]]:
    unknown = smpl.keys() - _SMPL_SHAPES.keys()
    if unknown or not smpl:
        raise ValueError(
            f'smpl holds {", ".join(sorted(smpl)) or "nothing"}; known are '
            f'{", ".join(_SMPL_SHAPES)}'
        )
    people = {}
    for key, values in smpl.items():
        array = np.asarray(values, np.float32)
        if key == 'body_pose' and array.shape[1:] == (69,):
            array = array.reshape(-1, 23, 3)
        people[key] = _check(key, array, (number, *_SMPL_SHAPES[key]))
    return people


def _spread(
    name: str, points: ArrayLike, shape: tuple[int, int], joint_set: str | None
) -> dict[str, NDArray]:
    """Keypoints (N, 190, D), their mask (190,) and the convention's name."""
    if joint_set is None:
        raise ValueError(
            f'{name} are given without joint_set: one of '
            f'{", ".join(JOINT_SETS)}'
        )
    number, dims = shape
    joints = len(joint_names(joint_set))
    places = np.array(human_data_indices(joint_set))
    given = _check(name, points, (number, joints, dims))
    # HumanData has no place for the root of a hand, for one.
    indices, given = places[places >= 0], given[:, places >= 0]
    spread = np.zeros((number, _NUM_KEYPOINTS, dims), np.float32)
    spread[:, indices] = given
    mask = np.zeros(_NUM_KEYPOINTS, np.uint8)
    mask[indices] = 1
    return {
        name: spread,
        f'{name}_mask': mask,
        f'{name}_convention': np.array('human_data'),
    }


def _to_npz(arrays: Mapping[str, NDArray], dicts: Mapping[str, dict]) -> bytes:
    """The archive; the same content gives the same bytes."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            npy_format.write_array(member, array, allow_pickle=False)
            _add_member(archive, name, member)
        for name, content in dicts.items():
            member = io.BytesIO()
            npy_format.write_array_header_1_0(
                member, dict(descr='|O', fortran_order=False, shape=())
            )
            _PicklerOfOldNames(member, 3).dump(np.array(content, object))
            _add_member(archive, name, member)
    return file.getvalue()


def _add_member(
    archive: zipfile.ZipFile, name: str, content: io.BytesIO
) -> None:
    info = zipfile.ZipInfo(f'{name}.npy')  # of 1980, whenever it is written
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content.getvalue())


# Python's own pickler in Python: the one in C does not let names be changed.
_Pickler: Any = pickle._Pickler


class _PicklerOfOldNames(_Pickler):
    """Names modules of NumPy as NumPy 1 does, which 2 understands too.

    MMHuman3D's own environment has NumPy 1.
    """

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write where a function is to be found."""
        module = getattr(obj, '__module__', None) or ''
        if module.startswith('numpy._core'):
            place = module.replace('numpy._core', 'numpy.core')
            self.write(
                pickle.GLOBAL + f'{place}\n{name or obj.__name__}\n'.encode()
            )
            self.memoize(obj)
        else:
            super().save_global(obj, name)

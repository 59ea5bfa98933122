"""Read annotation files: JSON (or plain YAML), checked entry by entry."""

import os.path as osp
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmd2a.files import UnusableFileError, read_json, read_yaml

_FIX = (
    'write {"metainfo": {}, "data_list": [{"img_path": ..., "bbox": [x1, y1, '
    'x2, y2], "joint_set": ...}, ...]} as JSON, arrays as lists'
)


def read_annotations(path: str | Path) -> tuple[dict, list]:
    """Read an annotation file of MMEngine's format.

    Args:
        path: ``.json``, or ``.yaml`` without tags and references.

    Returns:
        ``metainfo`` and ``data_list`` of the file, not looked into.

    Raises:
        UnusableFileError: another kind of file (a pickle runs what it names,
            so none is read), or one that cannot be used.
    """
    suffix = Path(path).suffix.lower()
    if not str(path):
        raise UnusableFileError('ann_file is not given', fix=_FIX)
    if suffix in ('.yaml', '.yml'):
        content = read_yaml(path)
    elif suffix == '.json':
        content = read_json(path, allow_nan=True)
    else:
        reason = (
            'pickles can run code and are not read'
            if suffix in ('.pkl', '.pickle', '.pt', '.pth')
            else f'annotations are not read from {suffix or "such"} files'
        )
        raise UnusableFileError(reason, path, _FIX)
    if not isinstance(content, dict):
        raise UnusableFileError(
            f'the file holds {type(content).__name__} at its top', path, _FIX
        )
    for key, kind in (('metainfo', dict), ('data_list', list)):
        if not isinstance(content.get(key), kind):
            found = (
                f'its {key} is {type(content[key]).__name__}'
                if key in content
                else f'it has no {key}, only {_shown(content)}'
            )
            raise UnusableFileError(
                f'the file does not hold annotations: {found}', path, _FIX
            )
    return content['metainfo'], content['data_list']


def check_entries(
    entries: list, path: str | Path, check: Callable[[Any], Any]
) -> list:
    """Apply ``check`` to every entry; its errors come to name file and entry.

    Raises:
        UnusableFileError: for the first entry that ``check`` refuses by a
            ValueError.
    """
    checked = []
    for number, entry in enumerate(entries):
        try:
            checked.append(check(entry))
        except ValueError as error:
            raise UnusableFileError(
                f'entry {number} of {len(entries)} cannot be used: {error}',
                path,
                'correct this entry, and others like it',
            ) from error
    return checked


def require_inside(entry: dict, key: str) -> None:
    """Refuse a relative path that leaves the folder it starts from.

    Raises:
        ValueError: naming key and path.
    """
    path = osp.normpath(entry[key])
    if path == osp.pardir or path.startswith(osp.pardir + osp.sep):
        raise ValueError(
            f'{key} {entry[key]!r} leaves its folder; give an absolute path, '
            'or one within data_root and data_prefix'
        )


def _shown(content: dict) -> str:
    keys = [str(key)[:40] for key in content]
    more = f' and {len(keys) - 5} more' if len(keys) > 5 else ''
    return (', '.join(keys[:5]) or 'nothing') + more

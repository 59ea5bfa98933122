"""``mmcv.fileio``: reading and writing files, MMEngine's by now."""

from pathlib import Path
from typing import Any

import yaml
from mmengine import fileio

from mmd2a.files import restricted_pickle
from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__, 'mmengine.fileio')


def load(file: Any, file_format: str | None = None, **kwargs: Any) -> Any:
    """Read a file as ``mmengine.fileio.load`` does, but run nothing of it.

    Args:
        file: a path, an address or an open file.
        file_format: ``'json'``, ``'yaml'``, ``'pkl'``; None: as it is called.
        **kwargs: as in MMEngine.

    Raises:
        RefusedPickleError: a pickle asks for what is not allowed.

    Example:
        >>> import io
        >>> load(io.StringIO('a: [1, 2]'), file_format='yaml')
        {'a': [1, 2]}
    """
    kind = file_format
    if kind is None and isinstance(file, str | Path):
        kind = str(file).rpartition('.')[2]
    if kind in ('yaml', 'yml'):
        kwargs.setdefault('Loader', yaml.SafeLoader)
    if kind not in ('pkl', 'pickle'):
        return fileio.load(file, file_format, **kwargs)
    if not isinstance(file, str | Path):
        return restricted_pickle.load(file)
    backend = kwargs.get('backend_args')
    try:
        return restricted_pickle.loads(fileio.get(file, backend))
    except restricted_pickle.RefusedPickleError as error:
        raise restricted_pickle.RefusedPickleError(
            error.reason, file, error.fix
        ) from error

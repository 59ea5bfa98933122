"""Where the files of licensed bodies are looked for."""

import os
from collections.abc import Iterator
from pathlib import Path

from mmd2a.body_models.body_advice import MissingBodyError, explain_absence
from mmd2a.body_models.families import FAMILIES

__all__ = ['BODY_MODEL_DIR', 'find_body_file', 'find_in_folder']

#: The environment variable that names the folder of licensed bodies.
BODY_MODEL_DIR = 'MMD2A_BODY_MODEL_DIR'


def find_body_file(path: str | Path) -> Path:
    """Find the file of a body.

    A path is taken as it stands; one that is not absolute is looked for in
    ``$MMD2A_BODY_MODEL_DIR`` too, and there in the folders ``smpl``,
    ``smplh`` and ``smplx``.

    Args:
        path: of an npz.

    Raises:
        MissingBodyError: it is in none of these places; says which they are,
            what the files are called, where they come from and the command
            that converts them.

    Example:
        >>> from mmd2a.body_models import EMBEDDED_BODY_PATH
        >>> find_body_file(EMBEDDED_BODY_PATH).name
        'embedded_body.npz'
    """
    places = [Path(path), *_in_folder(path)]
    for place in places:
        if os.path.isfile(place):
            return place
    if os.path.exists(path) and not os.path.isdir(path):
        return places[0]  # A device or the like: whoever reads it says so.
    raise MissingBodyError(
        explain_absence(places, BODY_MODEL_DIR, os.environ.get(BODY_MODEL_DIR))
    )


def find_in_folder(name: str | Path) -> Path | None:
    """Find a file in ``$MMD2A_BODY_MODEL_DIR``; None: it is not there.

    Example:
        >>> find_in_folder('no_such_file.npy')
    """
    return next((p for p in _in_folder(name) if os.path.isfile(p)), None)


def _in_folder(name: str | Path) -> Iterator[Path]:
    folder = os.environ.get(BODY_MODEL_DIR)
    if not folder or Path(name).is_absolute():
        return
    yield Path(folder, name)
    for family in FAMILIES.values():
        yield Path(folder, family.model_type, name)

"""What to do about a body file that is not there, or not read."""

from collections.abc import Sequence
from pathlib import Path

from mmd2a.body_models.families import FAMILIES
from mmd2a.files import UnusableFileError

__all__ = [
    'CONVERSION_HINT',
    'EMBEDDED_HINT',
    'MAX_BODY_BYTES',
    'REQUIRED_KEYS',
    'BodyFileError',
    'MissingBodyError',
    'explain_absence',
    'explain_pickle',
]

REQUIRED_KEYS = (
    'v_template',
    'f',
    'shapedirs',
    'posedirs',
    'J_regressor',
    'weights',
    'kintree_table',
)
#: The official SMPL-X, in float64 with all its components, has 240 MB.
MAX_BODY_BYTES = 2**29
EMBEDDED_HINT = (
    'Leave path=None to use the free body that comes with the package.'
)
CONVERSION_HINT = (
    'Convert the licensed file once: python tools/body/convert_smpl.py FILE '
    '--out FOLDER'
)


class BodyFileError(UnusableFileError):
    """A body file that is not what it should be."""


class MissingBodyError(BodyFileError, FileNotFoundError):
    """A body file that is not there."""


def explain_pickle(path: Path) -> str:
    """Say what to do with a pickled body; it is not opened.

    Example:
        >>> explain_pickle(Path('SMPL_MALE.pkl')).split('.')[0]
        'SMPL_MALE'
    """
    return (
        f'{path} is a pickled body model. Pickles can run code when they '
        'are read, so only npz files are taken. Convert it once: python '
        f'tools/body/convert_smpl.py {path}. {EMBEDDED_HINT}'
    )


def explain_absence(
    places: Sequence[Path], variable: str, folder: str | None
) -> str:
    """Say where a body was looked for, and where bodies come from.

    Args:
        places: where it was looked for, the path as given first.
        variable: the environment variable that names a folder of bodies.
        folder: its value, if it is set.

    Example:
        >>> text = explain_absence([Path('nowhere/A.npz')], 'BODIES', None)
        >>> text.splitlines()[-3][:35]
        'Official files are licensed. Regist'
    """
    lines = [
        f'no body model {places[0].name}; searched:',
        *(f'  {place.absolute()} ({_why_not(place)})' for place in places),
    ]
    if folder is None:
        lines.append(f'  ${variable} (not set)')
    near = sorted(
        {
            found
            for place in places
            for found in _bodies_in(place if place.is_dir() else place.parent)
        }
    )
    if near:
        shown = ', '.join(map(str, near[:8]))
        lines.append(f'These are near: {shown}.')
    expected = ', '.join(
        f'{family.prefix}_NEUTRAL.npz' for family in FAMILIES.values()
    )
    sites = ', '.join(f'{f.name}: {f.site}' for f in FAMILIES.values())
    kind = places[0].name.split('_')[0]
    raw = next(
        (p for p in near if p.suffix == '.pkl' and _is_of(p, kind)), 'FILE'
    )
    return '\n'.join(
        [
            *lines,
            f'Expected names: {expected}, and _MALE, _FEMALE.',
            f'Official files are licensed. Register and download ({sites}), '
            'then convert:',
            f'    python tools/body/convert_smpl.py {raw} --out FOLDER',
            f'and set {variable}=FOLDER, or give the path. {EMBEDDED_HINT}',
        ]
    )


def _is_of(path: Path, kind: str) -> bool:
    return path.name.split('_')[0] == kind


def _why_not(place: Path) -> str:
    try:
        if place.is_dir():
            return 'a file is needed, and this is a folder'
        if place.is_symlink():
            return 'the link leads nowhere'
        if place.parent.is_dir():
            return 'the folder exists, the file does not'
    except OSError as error:
        return error.strerror or str(error)
    return 'the folder does not exist either'


def _bodies_in(folder: Path) -> list[Path]:
    try:
        return [p for p in folder.iterdir() if p.suffix in ('.npz', '.pkl')]
    except OSError:
        return []

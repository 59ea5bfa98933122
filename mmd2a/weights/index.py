"""What weights there are, and what has to be known of each."""

import os
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.files import UnusableFileError, read_json

__all__ = [
    'SCHEME',
    'WEIGHTS_FOLDER',
    'WeightsEntry',
    'find_weights',
    'read_index',
    'weights_folders',
]

#: How the address of weights begins.
SCHEME = 'mmd2a://'
#: The weights of this package.
WEIGHTS_FOLDER = Path(__file__).parent / 'data'
#: Names a folder with an index of one's own, which is read as well.
OWN_FOLDER_VARIABLE = 'MMD2A_WEIGHTS'

_INDEX = 'index.json'
_FORMAT = 1
_NAME = re.compile(r'[a-z0-9][a-z0-9_.-]*')
_FIX = 'write the entry again with tools/weights/export_weights.py'


@dataclass(frozen=True)
class WeightsEntry:
    """What the index says of one file of weights.

    Args:
        name: by which they are asked for.
        sha256: digest of the file, hexadecimal.
        size: of the file, bytes.
        num_parameters: how many numbers are in it, buffers included.
        config: that builds the model, as ``mmd2a::`` knows it: relative to
            ``configs/``.
        licence: SPDX identifier of the weights.
        training_data: one ``dict(name=..., licence=...)`` per data set that
            the weights have seen, those of their initial weights too.
        recipe: how they were trained: at least ``command`` and ``commit``.
        cfg_options: what was changed in the config, as ``--cfg-options``.
        parts: the parts of the model that are in it, for *initial weights*;
            none: the whole model.
        results: per data set ``dict(command=..., metrics={name: dict(value=,
            low=, high=)})``; low and high are the ends of the 95 % interval.
        limits: where the model fails, a sentence each.
        pictures: ``dict(file=..., caption=...)`` each, below ``docs/``.

    Raises:
        UnusableFileError: licence, training data or recipe are not told, or
            the entry is not of this form.

    Example:
        >>> entry = WeightsEntry(
        ...     name='small', sha256='0' * 64, size=1, num_parameters=1,
        ...     config='d2a_hmr_hrnet.py', licence='',
        ...     training_data=[dict(name='SyntheticPeople',
        ...                         licence='Apache-2.0')],
        ...     recipe=dict(command='tools/train.py', commit='c0ffee'))
        Traceback (most recent call last):
        mmd2a.files.errors.UnusableFileError: weights small: ...
    """

    name: str
    sha256: str
    size: int
    num_parameters: int
    config: str
    licence: str
    training_data: list[dict[str, Any]]
    recipe: dict[str, Any]
    cfg_options: dict[str, Any] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    pictures: list[dict[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        wrong = self._what_is_wrong()
        if wrong:
            raise UnusableFileError(
                f'weights {self.name}: {wrong}', None, _FIX
            )

    @property
    def file(self) -> str:
        """Name of the file, in the folder of the index."""
        return f'{self.name}.safetensors'

    @property
    def address(self) -> str:
        """What to write where a checkpoint is asked for."""
        return f'{SCHEME}{self.name}'

    @property
    def made_with(self) -> str:
        """The config and what was changed in it, as on a command line."""
        changes = [f'{key}={value}' for key, value in self.cfg_options.items()]
        return ' '.join(
            [
                f'configs/{self.config}',
                *(['--cfg-options'] if changes else []),
                *changes,
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """What the index holds of it, under its name."""
        content = asdict(self)
        del content['name']
        return content

    def _what_is_wrong(self) -> str | None:
        for item in fields(self):
            kind = getattr(item.type, '__origin__', item.type)
            if not isinstance(getattr(self, item.name), kind):  # type: ignore
                return f'{item.name} must be a {kind.__name__}'  # type: ignore
        if not _NAME.fullmatch(self.name):
            return 'names are of a-z, 0-9, "_", "." and "-"'
        if not re.fullmatch('[0-9a-f]{64}', self.sha256):
            return 'sha256 must be 64 hexadecimal digits'
        if not self.licence.strip():
            return 'no licence is told'
        if not self.training_data:
            return 'no training_data are told'
        for data in self.training_data:
            if not (
                isinstance(data, dict)
                and str(data.get('name') or '').strip()
                and str(data.get('licence') or '').strip()
            ):
                return 'each of training_data needs a name and a licence'
        for key in ('command', 'commit'):
            if not str(self.recipe.get(key) or '').strip():
                return f'no {key} is told in the recipe'
        return None


def read_index(folder: str | Path = WEIGHTS_FOLDER) -> dict[str, WeightsEntry]:
    """Read the index of a folder.

    Args:
        folder: with ``index.json``; without that file it has no weights.

    Returns:
        Entries by name.

    Raises:
        UnusableFileError: the index is broken, or an entry lacks something.

    Example:
        >>> read_index('nowhere')
        {}
    """
    path = Path(folder) / _INDEX
    if not path.exists():
        return {}
    content = read_json(path, top=dict)
    entries = content.get('weights')
    if content.get('format') != _FORMAT or not isinstance(entries, dict):
        raise UnusableFileError(
            f'this is no index of weights of format {_FORMAT}', path, _FIX
        )
    try:
        return {
            name: WeightsEntry(name=name, **entry)
            for name, entry in entries.items()
        }
    except TypeError as error:  # No dict, or not the fields of an entry.
        raise UnusableFileError(
            f'an entry is not of this form ({error})', path, _FIX
        ) from error


def index_content(entries: dict[str, WeightsEntry]) -> dict[str, Any]:
    """What ``index.json`` holds of some entries."""
    return dict(
        format=_FORMAT,
        weights={name: entries[name].to_dict() for name in sorted(entries)},
    )


def index_path(folder: str | Path) -> Path:
    """Where the index of a folder is."""
    return Path(folder) / _INDEX


def weights_folders() -> list[Path]:
    """Folders that are searched: the package's, then one's own."""
    own = os.environ.get(OWN_FOLDER_VARIABLE)
    return [WEIGHTS_FOLDER, *([Path(own)] if own else [])]


def find_weights(name: str) -> tuple[WeightsEntry, Path]:
    """Find weights by their name.

    Args:
        name: with or without ``mmd2a://``.

    Returns:
        Their entry in the index and their file.

    Raises:
        CheckpointError: there are none of that name; names those there are.

    Example:
        >>> find_weights('mmd2a://nothing')
        Traceback (most recent call last):
        mmd2a.engine.checkpoint_files.CheckpointError: there are no weights \
mmd2a://nothing...
    """
    name = name.removeprefix(SCHEME)
    known: list[str] = []
    for folder in weights_folders():
        entries = read_index(folder)
        if name in entries:
            return entries[name], folder / entries[name].file
        known += entries
    there = f'there are {", ".join(sorted(known))}' if known else 'none ship'
    raise CheckpointError(f'there are no weights {SCHEME}{name}; {there}')

"""The pictures of a folder or list, by names that stay the same anywhere."""

import hashlib
import mimetypes
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from mmd2a.files import UnusableFileError, read_text

__all__ = ['PictureList', 'shard_of']


class PictureList(NamedTuple):
    """Pictures below a folder.

    Attributes:
        root: the folder.
        names: paths relative to it, with ``/``, sorted.
    """

    root: Path
    names: list[str]

    @classmethod
    def of(cls, source: str | Path) -> 'PictureList':
        """Find the pictures of a folder, or of a list in a file.

        Args:
            source: a folder, with folders in it; what is hidden is left out.
                Or a text file with a path per line, relative to its folder.

        Raises:
            UnusableFileError: no such folder or file, or no pictures in it.
        """
        if os.path.isdir(source):
            root, names = Path(source), _of_folder(os.fspath(source))
        else:
            root = Path(source).parent
            lines = read_text(source).splitlines()
            names = [line.strip() for line in lines if line.strip()]
        names = sorted(
            {os.path.normpath(n).replace(os.sep, '/') for n in names}
        )
        if not names:
            raise UnusableFileError(
                'there are no pictures here',
                source,
                'name a folder with PNG or JPEG files in it, or a text file '
                'with a path per line',
            )
        return cls(root, names)

    @property
    def digest(self) -> str:
        """The same for the same names."""
        text = '\n'.join(self.names)
        return hashlib.blake2b(os.fsencode(text), digest_size=8).hexdigest()

    def shards(self, number: int) -> list[list[str]]:
        """Names of each of so many shards; some may be empty."""
        shards: list[list[str]] = [[] for _ in range(number)]
        for name in self.names:
            shards[shard_of(name, number)].append(name)
        return shards


def shard_of(name: str, number: int) -> int:
    """Which of ``number`` shards a picture goes to, by its name alone.

    Example:
        >>> shard_of('a/b.jpg', 10), shard_of('a/c.jpg', 10)
        (6, 7)
    """
    digest = hashlib.blake2b(os.fsencode(name), digest_size=8).digest()
    return int.from_bytes(digest, 'big') % number


def _of_folder(folder: str) -> Sequence[str]:
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name[0] != '.']
        for name in files:
            kind, _ = mimetypes.guess_type(name)
            if (kind or '').startswith('image/') and name[0] != '.':
                path = os.path.join(place, name)
                found.append(os.path.relpath(path, folder))
    return found

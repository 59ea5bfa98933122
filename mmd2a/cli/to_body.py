"""``mmd2a predict --to-body FILE``: the people as another body."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ['OtherBody', 'add_argument', 'check_body']

# People whose meshes are held until they are fitted together.
_TOGETHER = 256


def add_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--to-body``."""
    parser.add_argument(
        '--to-body',
        metavar='FILE',
        help='also fit this body of SMPL format, and write its parameters '
        'beside, to FILE_people.npz',
    )


def check_body(path: str | None) -> None:
    """Read the body before any picture is looked at.

    Raises:
        BodyFileError: the file cannot be used.
    """
    if path is not None:
        from mmd2a.body_models import read_body_file

        read_body_file(path)


class OtherBody:
    """People of any pictures as another body, a batch after the other.

    Args:
        path: of the body, in SMPL's format.
        body_model: of the predictions.

    Raises:
        BodyFileError: the file cannot be used.
    """

    def __init__(self, path: str, body_model: Any) -> None:
        from mmd2a.body_models import BodyFitter, SMPLBodyModel

        self.path = Path(path)
        self.body = SMPLBodyModel(path)
        self.fitter = BodyFitter(body_model)
        self.waiting: list[Any] = []
        self.pieces: list[dict[str, Any]] = []
        self.pictures: list[int] = []

    def add(self, people: Sequence[Any], picture: int) -> None:
        """Take the people of a picture or frame, by its number."""
        self.waiting += people
        self.pictures += [picture] * len(people)
        if len(self.waiting) >= _TOGETHER:
            self._fit()

    def write(self, folder: str) -> str:
        """Write what was found; a line that says so.

        The file holds the parameters of the body by their names (N, ...),
        ``residual`` (N,), m, of its ``corresponding`` vertices or joints, and
        ``picture_index`` (N,), in the order of pictures and of the people in
        each.

        Raises:
            OSError: the file cannot be written.
        """
        import numpy as np

        from mmd2a.apis.person_mesh import npz_bytes
        from mmd2a.files import write_bytes

        self._fit()
        file = Path(folder, f'{self.path.stem}_people.npz')
        by = self.pieces[0].pop('by')
        arrays = {
            key: np.concatenate([piece[key] for piece in self.pieces])
            for key in self.pieces[0]
        }
        arrays['picture_index'] = np.array(self.pictures, np.int64)
        write_bytes(file, npz_bytes(arrays | dict(corresponding=by)))
        residual = arrays['residual']
        if not len(residual):
            return f'{file}: nobody'
        return (
            f'{file}: {len(residual)} as {self.path.name}, '
            f'{1e3 * float(residual.mean()):.0f} mm from the predicted {by}'
        )

    def _fit(self) -> None:
        if not self.waiting and self.pieces:
            return
        from mmd2a.apis import fit_to_body

        done = fit_to_body(self.waiting, self.body, body_fitter=self.fitter)
        self.pieces.append(
            done.parameters | dict(residual=done.residual, by=done.by)
        )
        self.waiting = []

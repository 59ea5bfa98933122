"""Files of a video: its people, and pictures with their meshes on.

Written as the frames come, so that memory does not grow, and whole or not
there.
"""

import errno
import os
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import ArrayLike, NDArray

from mmd2a.apis.console import silence
from mmd2a.apis.people_files import UNITS
from mmd2a.apis.person_mesh import LONG_FIELDS, PersonMesh
from mmd2a.files import json_text, whole_file

__all__ = ['PeopleOfVideo', 'VideoFile']

# Browsers play it. VP9, which OpenCV writes too, takes five times as long at
# the one setting that OpenCV has: tools/benchmark/video.py.
_CODEC = 'VP80'


class PeopleOfVideo:
    """``STEM.json`` and ``STEM.npz`` of a video, written as frames come.

    As of a picture, with ``frame_number`` of each person, and ``fps``. Until
    the end, people are kept in a file without a name, which the system removes
    whatever happens.

    Args:
        folder: made if needed.
        stem: name of the files.
        path: of the video, told in the JSON.
        faces: (F, 3) vertex indices of the body.
        fps: frames per second.

    Raises:
        OSError: nothing can be written there.
    """

    def __init__(
        self,
        folder: str | Path,
        stem: str,
        path: str,
        faces: ArrayLike,
        fps: float,
    ) -> None:
        self.folder = Path(folder)
        self.stem = stem
        self.path = path
        self.faces = np.asarray(faces, np.int32)
        self.fps = fps
        self.folder.mkdir(parents=True, exist_ok=True)
        self._joint_names: tuple[str, ...] = ()
        self._json: Any = tempfile.TemporaryFile(dir=self.folder)
        self._fields: dict[str, tuple[Any, NDArray]] = {}
        self._count = 0

    def add(self, people: Sequence[PersonMesh], number: int) -> None:
        """Add the people of a frame.

        Args:
            people: of the frame.
            number: of the frame.
        """
        try:
            for person in people:
                self._add(person, number)
        except OSError as error:
            raise OSError(
                error.errno,
                f'cannot write {self.folder / self.stem}.npz: '
                f'{error.strerror}. Free some space, or choose another folder',
            ) from error

    def _add(self, person: PersonMesh, number: int) -> None:
        told = person.to_dict(long=False) | dict(frame_number=number)
        text = (', ' if self._count else '') + json_text(told)
        self._json.write(text.encode())
        values = person.to_dict() | dict(frame_number=number)
        self._joint_names = values.pop('joint_names')
        for key, value in values.items():
            self._append(key, np.asarray(value))
        self._count += 1

    def finish(self) -> list[Path]:
        """Write both files.

        Raises:
            OSError: one cannot be written; says where and why.
        """
        json_file, npz_file = (
            self.folder / f'{self.stem}{end}' for end in ('.json', '.npz')
        )
        with whole_file(npz_file) as file:
            self._write_npz(file)
        head = dict(
            image_path=self.path,
            units=UNITS,
            left_out=f'{", ".join(LONG_FIELDS)}: in the .npz beside',
            fps=self.fps,
        )
        with whole_file(json_file) as file:
            file.write(json_text(head)[:-1].encode() + b', "people": [')
            self._json.seek(0)
            shutil.copyfileobj(self._json, file)
            file.write(b']}')
        self.discard()
        return [json_file, npz_file]

    def discard(self) -> None:
        """Forget the people."""
        for spool in (
            self._json,
            *(spool for spool, _ in self._fields.values()),
        ):
            with suppress(OSError):  # Of what could not be written before.
                spool.close()

    def _append(self, key: str, value: NDArray) -> None:
        if key not in self._fields:
            spool = tempfile.TemporaryFile(dir=self.folder)
            # Texts have the longest as their type: of fixed ones there is one.
            if value.dtype.kind == 'U':
                value = value.astype('U16')
            self._fields[key] = spool, value
        spool, first = self._fields[key]
        spool.write(np.ascontiguousarray(value, first.dtype).tobytes())

    def _write_npz(self, file: BinaryIO) -> None:
        alone = dict(faces=self.faces, fps=np.array(self.fps))
        if self._count:
            alone['joint_names'] = np.array(self._joint_names)
        else:
            alone['bbox'] = np.zeros((0, 4))
        with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
            for key, array in alone.items():
                with archive.open(f'{key}.npy', 'w') as member:
                    npy_format.write_array(member, array, allow_pickle=False)
            for key, (spool, first) in self._fields.items():
                spool.seek(0)
                header: dict[str, Any] = dict(
                    descr=npy_format.dtype_to_descr(first.dtype),
                    fortran_order=False,
                    shape=(self._count, *first.shape),
                )
                name = f'{key}.npy'
                with archive.open(name, 'w', force_zip64=True) as member:
                    npy_format.write_array_header_1_0(member, header)
                    shutil.copyfileobj(spool, member)


class VideoFile:
    """A video that is either complete or not there.

    Pictures are compressed beside the work of the caller.

    Args:
        path: ``.webm``.
        fps: frames per second.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: str | Path, fps: float) -> None:
        self.path = Path(path)
        self.fps = fps
        self.path.parent.mkdir(parents=True, exist_ok=True)
        name = f'.{self.path.stem[:48]}.{secrets.token_hex(4)}'
        self._incomplete = self.path.with_name(
            f'{name}.incomplete{self.path.suffix}'
        )
        self._writer: Any = None
        self._worker = ThreadPoolExecutor(1)
        self._last: Future | None = None
        self._count = 0

    def add(self, image: NDArray[np.uint8]) -> None:
        """Add a frame (H, W, 3) uint8 RGB; all of one size."""
        if self._writer is None:
            self._writer = self._open(image.shape[1], image.shape[0])
        self._wait()  # One picture waits at most.
        bgr = np.ascontiguousarray(image[..., ::-1])
        self._last = self._worker.submit(self._writer.write, bgr)
        self._count += 1

    def _open(self, width: int, height: int) -> Any:
        with silence():
            writer = cv2.VideoWriter(
                str(self._incomplete),
                cv2.VideoWriter.fourcc(*_CODEC),
                self.fps,
                (width, height),
            )
        if not writer.isOpened():
            raise OSError(
                errno.EACCES,
                f'cannot write {self.path}: make its folder writable, or '
                'choose another',
            )
        return writer

    def _wait(self) -> None:
        if self._last is not None:
            self._last.result()

    def finish(self) -> Path:
        """Give the whole video its name.

        Raises:
            OSError: not all of it was written, as on a full disk.
        """
        if self._writer is not None:
            self._close()
            # OpenCV says nothing of what it could not write.
            count = _count_frames(self._incomplete)
            if count < self._count:
                self.discard()
                raise OSError(
                    errno.ENOSPC,
                    f'cannot write {self.path}: {count} of {self._count} '
                    'frames were written. Free some space, or choose another '
                    'folder',
                )
            os.replace(self._incomplete, self.path)
        return self.path

    def discard(self) -> None:
        """Leave nothing of a video that is not complete."""
        self._close()
        self._incomplete.unlink(missing_ok=True)

    def _close(self) -> None:
        self._worker.shutdown()
        if self._writer is not None:
            self._writer.release()
            self._writer = None


def _count_frames(path: Path) -> int:
    """Frames that are there: the head of the file may promise more."""
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count

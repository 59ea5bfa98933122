"""Pictures from wherever they are named, one after the other."""

import mimetypes
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlparse

import cv2
import numpy as np
from numpy.typing import NDArray

from mmd2a.apis.console import silence
from mmd2a.apis.errors import OnError, reported_to
from mmd2a.files import (
    MAX_IMAGE_BYTES,
    UnusableFileError,
    decode_image,
    open_regular_file,
    read_image,
)

__all__ = ['Frame', 'PictureSource']

# What MMEngine's, and Python's, tables of file types do not know everywhere.
_VIDEOS = {'.mp4', '.avi', '.mov', '.mkv', '.webm', '.m4v', '.mpg', '.gif'}
_URLS = ('http://', 'https://')
_WEBCAM = re.compile(r'webcam(?::(\d+))?')


class Frame(NamedTuple):
    """One picture and what it is called.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        path: file, address, or a name for arrays.
        stem: name for the files of its results, different for each picture.
        number: of the frame in its video; None for a picture.
    """

    image: NDArray[np.uint8]
    path: str
    stem: str
    number: int | None = None


class PictureSource:
    """Pictures of a file, folder, video, address, arrays, or a list of them.

    They are read when they are asked for, so that any number of any size can
    be gone through.

    Args:
        inputs: path of a picture, a folder of pictures, a video or an
            animated GIF; ``'webcam'``, or ``'webcam:1'`` of the second one; an
            address ``http(s)://``, which is fetched; an array (H, W, 3) uint8
            **BGR**, as OpenCV and mmpose's inferencers have it; or a list of
            pictures, addresses and arrays.

    Attributes:
        video: path of the video, or the webcam; None if it is none.
        live: whether it is a webcam, which has no end.
        fps: frames per second of the video; 25 if it does not say.

    Raises:
        UnusableFileError: there is no such file, or a folder or list without
            pictures.

    Example:
        >>> source = PictureSource(np.zeros((4, 6, 3), np.uint8))
        >>> [frame.image.shape for frame in source], len(source)
        ([(4, 6, 3)], 1)
    """

    def __init__(self, inputs: Any) -> None:
        self.video: str | None = None
        self.live = False
        self.fps = 0.0
        self._items: Sequence[Any] = ()
        if isinstance(inputs, np.ndarray):
            inputs = [inputs] if inputs.ndim == 3 else list(inputs)
        if isinstance(inputs, (str, os.PathLike)):
            self._of_path(os.fspath(inputs))
        else:
            self._items = list(inputs)
            if not self._items:
                raise UnusableFileError(
                    'there are no inputs', fix='name at least one picture'
                )
        stems = [self._stem(i) for i in range(len(self._items))]
        # Files of one name from several folders keep their results apart.
        self._stems = [
            stem if stem not in stems[:i] else f'{stem}_{i}'
            for i, stem in enumerate(stems)
        ]

    def __len__(self) -> int:
        """Pictures, or the frames that a video says it has (0: unknown)."""
        if self.video is None:
            return len(self._items)
        if self.live:
            return 0
        capture = _open_video(self.video)
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
        capture.release()
        return max(count, 0)

    def __iter__(self) -> Iterator[Frame]:
        return (frame for _, frame in self.numbered())

    def numbered(
        self, on_error: OnError | None = None
    ) -> Iterator[tuple[int, Frame]]:
        """Every picture with its place among the inputs.

        Args:
            on_error: told of pictures that cannot be read, which are left
                out; None: the error is raised.

        Raises:
            UnusableFileError: a video, or without ``on_error`` a picture.
        """
        if self.video is not None:
            yield from enumerate(self._frames(self.video))
        for index, (item, stem) in enumerate(zip(self._items, self._stems)):
            frame = None
            with reported_to(on_error):
                frame = self._read(item, stem)
            if frame is not None:
                yield index, frame

    def _of_path(self, path: str) -> None:
        if path.startswith(_URLS):
            self._items = [path]
            return
        if _WEBCAM.fullmatch(path):
            capture = _open_video(path)
            self.video, self.live, self.fps = path, True, _rate(capture)
            capture.release()
            return
        if os.path.isdir(path):
            self._items = sorted(
                os.path.join(path, name)
                for name in os.listdir(path)
                if _is(name, 'image') and not name.startswith('.')
            )
            if not self._items:
                raise UnusableFileError(
                    'the folder holds no pictures',
                    path,
                    'name a folder with PNG or JPEG files, a picture or a '
                    'video',
                )
            return
        with open_regular_file(path, 2**63):
            pass  # Is there, and can be read.
        if _is(path, 'video'):
            capture = _open_video(path)
            self.fps = _rate(capture)
            frames = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
            capture.release()
            still = path.lower().endswith('.gif') and frames == 1
            if not still:
                self.video = path
                return
        self._items = [path]

    def _read(self, item: Any, stem: str) -> Frame:
        if isinstance(item, np.ndarray):
            if item.dtype != np.uint8 or item.shape[2:] != (3,):
                raise UnusableFileError(
                    f'an array must be (H, W, 3) uint8 BGR, got {item.shape} '
                    f'{item.dtype}',
                    stem,
                    'convert it, e.g. with cv2.cvtColor',
                )
            return Frame(np.ascontiguousarray(item[..., ::-1]), stem, stem)
        path = os.fspath(item)
        if path.startswith(_URLS):
            image = decode_image(_fetch(path), path)
        else:
            image = read_image(path)
        # In place: a copy of a large picture is large.
        cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
        return Frame(image, path, stem)

    def _frames(self, path: str) -> Iterator[Frame]:
        capture = _open_video(path)
        stem = Path(path).stem.replace(':', '_')
        number = 0
        try:
            while True:
                there, image = capture.read()
                if not there:
                    break
                cv2.cvtColor(image, cv2.COLOR_BGR2RGB, dst=image)
                yield Frame(image, path, f'{stem}_{number:06d}', number)
                number += 1
        finally:
            capture.release()
        if not number:
            raise _no_video(path)

    def _stem(self, index: int) -> str:
        item = self._items[index]
        if isinstance(item, np.ndarray):
            return f'{index:06d}'
        if not isinstance(item, (str, os.PathLike)):
            raise UnusableFileError(
                f'input {index} is {type(item).__name__}',
                fix='give paths, or arrays (H, W, 3) uint8 BGR',
            )
        path = os.fspath(item)
        if path.startswith(_URLS):
            path = urlparse(path).path
        return Path(path).stem or f'{index:06d}'


def _is(path: str, kind: str) -> bool:
    suffix = Path(path).suffix.lower()
    if suffix in _VIDEOS:
        # A GIF in a folder is one of its pictures.
        return kind == 'video' or suffix == '.gif'
    return (mimetypes.guess_type(path)[0] or '').startswith(f'{kind}/')


def _open_video(path: str) -> Any:
    # While frames are read, too, FFmpeg would speak to the console.
    os.environ.setdefault('OPENCV_FFMPEG_LOGLEVEL', '-8')
    webcam = _WEBCAM.fullmatch(path)
    if webcam:
        capture = cv2.VideoCapture(int(webcam[1] or 0))
        if not capture.isOpened():
            raise UnusableFileError(
                'there is no such camera, or it is in use',
                path,
                "plug it in, or name another one, e.g. 'webcam:1'",
            )
        return capture
    ffmpeg = cv2.videoio_registry.hasBackend(cv2.CAP_FFMPEG)
    with silence():
        capture = cv2.VideoCapture(
            path, cv2.CAP_FFMPEG if ffmpeg else cv2.CAP_ANY
        )
    if not capture.isOpened():
        raise _no_video(path)
    return capture


def _rate(capture: Any) -> float:
    """Frames per second; 25 where nothing is said."""
    fps = float(capture.get(cv2.CAP_PROP_FPS))
    return fps if 0 < fps < 1000 else 25.0


def _no_video(path: str) -> UnusableFileError:
    return UnusableFileError(
        'the video cannot be read',
        path,
        'convert it, e.g. with ffmpeg -i IN -c:v libx264 OUT.mp4',
    )


def _fetch(address: str) -> bytes:
    """The bytes behind an address, not more than is allowed."""
    from urllib.error import URLError
    from urllib.request import urlopen

    try:
        with urlopen(address, timeout=30) as answer:
            data = answer.read(MAX_IMAGE_BYTES + 1)
    except (URLError, OSError, ValueError) as error:
        raise UnusableFileError(
            f'the address cannot be fetched ({error})',
            address,
            'correct it, or fetch the picture and name its file',
        ) from error
    if len(data) > MAX_IMAGE_BYTES:
        raise UnusableFileError(
            f'more than {MAX_IMAGE_BYTES:,} bytes are at this address',
            address,
            'fetch the picture, and save it smaller',
        )
    return data

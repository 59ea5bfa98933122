"""Write the page: one file that holds all it needs."""

import base64
import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from mmd2a.apis.errors import InputError
from mmd2a.files import UnusableFileError, write_bytes
from mmd2a.version import __version__
from mmd2a.viewer.content import page_content
from mmd2a.viewer.pictures import find_source, page_pictures, video_length
from mmd2a.viewer.results import MeshSequence, video_frames

__all__ = ['MAX_PAGE_BYTES', 'Page', 'page_bytes', 'write_page']

#: Larger pages are refused: browsers open them slowly, phones not at all.
MAX_PAGE_BYTES = 100_000_000
#: Frames per second where nothing says how many.
_FPS = 25.0
#: The page's own script, in the order in which its parts need each other.
_SCRIPTS = ('decoding.js', 'stage.js', 'gestures.js', 'pace.js', 'page.js')


class Page(NamedTuple):
    """What was written.

    Attributes:
        path: the file.
        frames: pictures that it goes through.
        people: most that are in one of them.
        size: bytes.
        without: path of the first picture that was not found; None: all were.
    """

    path: Path
    frames: int
    people: int
    size: int
    without: str | None


def write_page(
    path: str | Path,
    sequence: MeshSequence,
    pictures: str | Path | None = None,
    every: int = 1,
    fps: float | None = None,
) -> Page:
    """Write a page on which the meshes of a result are turned.

    The page is one file: meshes, pictures, a viewer library and its own
    script. It loads nothing, and its Content-Security-Policy forbids it to.
    Vertices are told in steps of 0.1 mm, so that none is off by more than
    0.09 mm (:mod:`mmd2a.viewer.encoding`).

    Args:
        path: ``.html`` file; written whole or not at all.
        sequence: of :func:`~mmd2a.viewer.read_results`.
        pictures: where the pictures are, if not where the result says: the
            picture or video, or a folder that holds them by their names.
        every: show every that many frames only.
        fps: frames per second; None: those of the video, 25 where nobody
            knows.

    Returns:
        What was written.

    Raises:
        InputError: ``every`` or ``fps``.
        UnusableFileError: another suffix, a picture that cannot be read or
            is another one, a page larger than :data:`MAX_PAGE_BYTES`.
        OSError: the file cannot be written.
    """
    if Path(path).suffix.lower() not in ('.html', '.htm'):
        raise UnusableFileError('a page is HTML', path, 'end it in .html')
    if every < 1 or (fps is not None and not fps > 0):
        raise InputError(f'every is {every}, fps is {fps}: give more than 0')
    sequence, sources, own_fps = _with_sources(sequence, pictures)
    sequence, sources = sequence.thinned(every), sources[::every]
    if not len(sequence.frame):
        raise UnusableFileError(
            f'there is nobody in frames 0, {every}, {2 * every} and so on',
            sequence.folder,
            'take another --every',
        )
    told, sizes = page_pictures(sequence, sources)
    if sequence.is_video:
        # Its header may promise frames that are not there.
        last = [i for i, picture in enumerate(told) if picture is not None]
        end = max([int(sequence.frame.max()), *last]) + 1
        sequence = replace(sequence, frames=sequence.frames[:end])
    content = page_content(
        sequence, told, sizes, (fps or own_fps or _FPS) / every
    )
    data = page_bytes(content)
    if len(data) > MAX_PAGE_BYTES:
        fewer = every * max(2, -(-len(data) // MAX_PAGE_BYTES))
        raise UnusableFileError(
            f'the page would have {len(data) / 1e6:.0f} MB, '
            f'{MAX_PAGE_BYTES / 1e6:.0f} are allowed',
            path,
            f'show fewer frames, with --every {fewer}',
        )
    write_bytes(path, data)
    return Page(
        path=Path(path),
        frames=len(sequence.frames),
        people=len(content['people']),
        size=len(data),
        without=next(
            (
                frame.path
                for frame, source in zip(sequence.frames, sources)
                if source is None
            ),
            None,
        ),
    )


def page_bytes(content: Mapping[str, Any]) -> bytes:
    """The page of a content, UTF-8.

    Only scripts and styles of this package run: their digests are in the
    policy. What the content says, such as names of files, is text.

    Args:
        content: of :func:`~mmd2a.viewer.content.page_content`.
    """
    script = '\n'.join(_part(name) for name in _SCRIPTS)
    library, style = _part('three.min.js'), _part('page.css')
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; "
        f'img-src data:; script-src {_digest(library)} {_digest(script)}; '
        f'style-src {_digest(style)}'
    )
    page = Template(_part('page.html')).substitute(
        title=html.escape(content['title']),
        generator=f'mmd2a {__version__}',
        policy=policy,
        style=style,
        library=library,
        script=script,
        data=_inert(json.dumps(content, allow_nan=False)),
    )
    # Names that are no text, as file systems allow, leave a mark.
    return page.encode(errors='replace')


def _with_sources(
    sequence: MeshSequence, pictures: str | Path | None
) -> tuple[MeshSequence, list[Path | None], float]:
    """All frames, where the picture of each is, and frames per second."""
    folder, frames = sequence.folder, sequence.frames
    fps = sequence.fps or 0.0
    if not sequence.is_video:
        found = [find_source(frame.path, folder, pictures) for frame in frames]
        return sequence, found, fps
    video = find_source(frames[0].path, folder, pictures)
    if video is not None:
        # Also those after the last in which there is somebody.
        count, own = video_length(video)
        fps = own or fps
        frames = video_frames(frames[0].path, max(count, len(frames)))
    return replace(sequence, frames=frames), [video] * len(frames), fps


def _part(name: str) -> str:
    """A file that comes along; line ends as HTML has them."""
    file = resources.files('mmd2a.viewer') / 'assets' / name
    return file.read_text('utf-8').replace('\r\n', '\n')


def _digest(text: str) -> str:
    """How a policy names an inline script or style."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest())
    return f"'sha256-{digest.decode()}'"


def _inert(text: str) -> str:
    """JSON in which HTML finds neither tags nor comments."""
    return text.replace('<', '\\u003c').replace('>', '\\u003e')

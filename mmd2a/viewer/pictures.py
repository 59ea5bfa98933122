"""The pictures of a result, small enough for a page."""

import base64
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mmd2a.apis.picture_sources import PictureSource
from mmd2a.files import UnusableFileError, read_image
from mmd2a.viewer.results import MAX_FRAMES, Frame, MeshSequence, base_name

__all__ = ['find_source', 'page_pictures', 'picture_side', 'video_length']

#: WebP, which every browser of the page reads, of this quality.
_QUALITY = 80


def find_source(
    path: str, folder: Path, given: str | Path | None = None
) -> Path | None:
    """Where a picture or video of a result is now.

    Args:
        path: what the result says.
        folder: of the result.
        given: by the user: the file, or a folder that holds it.

    Returns:
        ``given``, what ``path`` says or a file of that name beside the
        result, the first that is there; None: none is, or it is an address,
        which is not fetched.

    Raises:
        UnusableFileError: what was given is not there.
    """
    name = base_name(path)
    if given is not None:
        there = Path(given)
        if there.is_dir():
            there = there / name
        if not there.is_file():
            raise UnusableFileError(
                'there is no such file', there, 'correct --pictures'
            )
        return there
    places = [folder / name] if '://' in path else [Path(path), folder / name]
    try:
        return next((place for place in places if place.is_file()), None)
    except ValueError:  # A name that no file can have.
        return None


def picture_side(count: int) -> int:
    """Longest side of each picture, pixels, so that all together stay small.

    Args:
        count: pictures on the page.

    Example:
        >>> picture_side(1), picture_side(100), picture_side(10_000)
        (1600, 640, 480)
    """
    return round(min(1600.0, max(480.0, 6400 / max(count, 1) ** 0.5)))


def video_length(path: Path) -> tuple[int, float]:
    """Frames of a video, as it says, and frames per second (0: unknown).

    Raises:
        UnusableFileError: it cannot be read.
    """
    source = PictureSource(path)
    if source.video is None:
        raise UnusableFileError(
            'the result is of a video, this is none',
            path,
            'name the video with --pictures',
        )
    # Headers may claim any number.
    return min(len(source), MAX_FRAMES), source.fps


def page_pictures(
    sequence: MeshSequence, sources: Sequence[Path | None]
) -> tuple[list[str | None], list[tuple[int, int] | None]]:
    """Read the pictures, make them smaller, and tell them as addresses.

    Args:
        sequence: the frames on the page, and their people.
        sources: where the picture of each frame is, or its video; None:
            nowhere.

    Returns:
        Of each frame a ``data:`` address, None without a picture; and (height,
        width) of the whole picture, pixels, None if nobody knows.

    Raises:
        UnusableFileError: a picture cannot be read, or has another size than
            the one of the result.
    """
    side = picture_side(len(sequence.frames))
    sizes: list[tuple[int, int] | None] = [None] * len(sequence.frames)
    for index, (height, width) in zip(sequence.frame, sequence.image_size):
        sizes[index] = (int(height), int(width))
    told: list[str | None] = []
    for index, image in enumerate(_images(sequence.frames, sources)):
        told.append(None if image is None else _address(image, side))
        if image is None:
            continue
        height, width = image.shape[:2]
        size = sizes[index] or (height, width)
        if size != (height, width):
            raise UnusableFileError(
                f'the picture is {width}x{height}, the one of the result was '
                f'{size[1]}x{size[0]}',
                sources[index],
                'name the right one with --pictures',
            )
        sizes[index] = size
    return told, sizes


def _images(
    frames: Sequence[Frame], sources: Sequence[Path | None]
) -> Iterator[NDArray[np.uint8] | None]:
    """(H, W, 3) uint8 BGR of each frame, None where there is none."""
    if frames[0].number is None:
        for source in sources:
            yield (
                None
                if source is None
                else np.asarray(read_image(source), np.uint8)
            )
        return
    if sources[0] is None:
        yield from [None] * len(frames)
        return
    wanted = [frame.number for frame in frames]
    got = 0
    for read in PictureSource(os.fspath(sources[0])):
        if read.number == wanted[got]:
            yield np.ascontiguousarray(read.image[..., ::-1])
            got += 1
        if got == len(wanted):
            return
    # Videos claim frames that cannot be read.
    yield from [None] * (len(wanted) - got)


def _address(image: NDArray[np.uint8], side: int) -> str:
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(
            cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8
        )
    _, data = cv2.imencode(
        '.webp', image, [cv2.IMWRITE_WEBP_QUALITY, _QUALITY]
    )
    return (
        'data:image/webp;base64,' + base64.b64encode(data.tobytes()).decode()
    )

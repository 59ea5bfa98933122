"""Write a page of a result, to turn the mesh in: one file, no network.

    mmd2a view meshes/photo.json
    mmd2a view meshes --pictures frames --fps 30

RESULT is what mmd2a predict wrote: the .json, .npz or .glb of a picture or
video, or a folder with those of the frames of a video.
"""

import argparse
import os
from pathlib import Path

__all__ = ['add_arguments', 'check', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mmd2a view``."""
    parser.add_argument(
        'result', metavar='RESULT', help='file or folder of mmd2a predict'
    )
    parser.add_argument(
        '--out',
        metavar='FILE',
        help='the page, .html; by default beside the result, with its name',
    )
    parser.add_argument(
        '--pictures',
        metavar='PATH',
        help='where the pictures or the video are now, if they were moved: '
        'the file, or a folder that holds them',
    )
    parser.add_argument(
        '--every',
        type=int,
        default=1,
        metavar='N',
        help='show every Nth frame only, for a smaller page',
    )
    parser.add_argument(
        '--fps',
        type=float,
        help='frames per second; by default those of the video, 25 for '
        'pictures',
    )


def check(args: argparse.Namespace) -> None:
    """Find mistakes that need none of the seconds of imports.

    Raises:
        OSError: a file cannot be used.
        ValueError: a number that makes no sense.
    """
    from mmd2a.cli.out_folder import check_out_folder
    from mmd2a.files import UnusableFileError

    for path in (args.result, args.pictures):
        if path is not None and not os.path.exists(path):
            raise UnusableFileError(
                'there is no such file', path, 'correct the path'
            )
    if args.every < 1:
        raise ValueError(f'--every {args.every}: give 1 or more')
    if args.fps is not None and not 0 < args.fps <= 1000:
        raise ValueError(
            f'--fps {args.fps:g}: give more than 0 and at most 1000'
        )
    if args.out is not None and not args.out.lower().endswith(
        ('.html', '.htm')
    ):
        raise UnusableFileError('a page is HTML', args.out, 'end it in .html')
    check_out_folder(os.path.dirname(args.out or _beside(Path(args.result))))


def run(args: argparse.Namespace) -> None:
    """Write the page, say where it is and what is on it.

    Raises:
        UnusableFileError: what is wrong with the result, in one line.
        OSError: the page cannot be written.
    """
    from mmd2a.cli.brief import tell
    from mmd2a.viewer import read_results, write_page

    page = write_page(
        args.out or _beside(Path(args.result)),
        read_results(args.result),
        args.pictures,
        args.every,
        args.fps,
    )
    tell(
        f'{page.path}: {_count(page.frames, "picture")}, '
        f'{_count(page.people, "person", "people")}, '
        f'{page.size / 1e6:.1f} MB; open it in a browser'
    )
    if page.without is not None:
        tell(
            f'{page.without} was not found, so the page has no picture of it: '
            'name the place with --pictures'
        )


def _beside(result: Path) -> Path:
    """Where the page of a result goes if nothing is said."""
    if result.is_dir():
        return result / f'{result.resolve().name or "page"}.html'
    return result.with_suffix('.html')


def _count(number: int, one: str, many: str | None = None) -> str:
    return f'{number} {one if number == 1 else many or one + "s"}'

"""Recover the people of pictures: meshes, numbers, pictures with them on.

    mmd2a predict photo.jpg --bbox 36 60 563 758
    mmd2a predict folder --boxes boxes.json --out meshes --fov 65

Works without a network. Of each picture NAME four files are written:
NAME_mesh.jpg, NAME.json (numbers with their units), NAME.npz (all of them, as
arrays) and NAME.glb (for viewers). A video has one of each but glb, and its
meshes are smoothed over time.

Of several pictures those that cannot be used are told and left out, and the
exit code is 3. It is 1 when nothing could be done, 2 for wrong arguments.
"""

import argparse
import mimetypes
import os
import sys
from typing import Any

from mmd2a.cli.to_body import OtherBody, add_argument, check_body

__all__ = [
    'add_arguments',
    'add_model_arguments',
    'build_inferencer',
    'camera_matrix',
    'check',
    'run',
]

DEFAULT_MODEL = 'd2a_hmr_mobilenet-v2'
_SOME_LEFT_OUT = 3  # An exit code that is no other's.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mmd2a predict``."""
    parser.add_argument(
        'inputs',
        nargs='+',
        metavar='INPUT',
        help='pictures, or one folder, video, webcam or address',
    )
    people = parser.add_mutually_exclusive_group()
    people.add_argument(
        '--bbox',
        nargs=4,
        type=float,
        action='append',
        metavar=('X1', 'Y1', 'X2', 'Y2'),
        help='a person of the picture, pixels; once for each',
    )
    people.add_argument(
        '--boxes',
        metavar='FILE',
        help='COCO .json, or YOLO .txt or a folder of them',
    )
    people.add_argument(
        '--detector',
        metavar='NAME',
        help='name or config of a detector of mmdet that finds people',
    )
    parser.add_argument('--out', default='meshes', metavar='DIR')
    parser.add_argument(
        '--fov',
        type=float,
        metavar='DEG',
        help='field of view across the longer side; phones: about 65',
    )
    parser.add_argument(
        '--camera',
        nargs=4,
        type=float,
        metavar=('FX', 'FY', 'CX', 'CY'),
        help='intrinsics of the camera, pixels; instead of --fov',
    )
    parser.add_argument(
        '--depth',
        metavar='FILE',
        help='depth map of the picture, .npy or 16-bit .png; or a folder',
    )
    parser.add_argument(
        '--depth-kind',
        choices=('metric', 'depth', 'disparity'),
        default='metric',
        help='what the numbers of --depth are',
    )
    add_argument(parser)
    parser.add_argument(
        '--smooth',
        action=argparse.BooleanOptionalAction,
        default=True,
        help='smooth the people of a video over time (default: yes)',
    )
    add_model_arguments(parser)
    parser.add_argument(
        '--batch-size', type=int, default=8, help='people together'
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which model tells what."""
    parser.add_argument(
        '--parameters',
        action='store_true',
        help='also fit pose and shape of the body',
    )
    parser.add_argument(
        '--model',
        default=DEFAULT_MODEL,
        metavar='NAME|CONFIG',
        help='weights that ship (see mmd2a weights), or a config',
    )
    parser.add_argument(
        '--weights', metavar='FILE', help='checkpoint, with a config'
    )
    parser.add_argument('--device', help='such as cuda:0; the CPU by default')


def check(args: argparse.Namespace) -> None:
    """Find mistakes that need none of the seconds of imports.

    Raises:
        OSError: a file cannot be used.
        ValueError: arguments that do not fit each other.
    """
    from mmd2a.cli.out_folder import check_out_folder
    from mmd2a.files import UnusableFileError

    for path in (*args.inputs, args.boxes, args.depth):
        elsewhere = path and ('://' in path or path.startswith('webcam'))
        if path and not elsewhere and not os.path.exists(path):
            raise UnusableFileError(
                'there is no such file', path, 'correct the path'
            )
    if args.fov is not None and args.camera is not None:
        raise ValueError('--fov and --camera say the same: give one of them')
    if args.fov is not None and not 0 < args.fov < 180:
        raise ValueError(
            f'--fov {args.fov:g}: a field of view is more than 0 and less '
            'than 180 degrees; phones have about 65'
        )
    if args.batch_size < 1:
        raise ValueError(f'--batch-size {args.batch_size}: give 1 or more')
    check_out_folder(args.out)


def run(args: argparse.Namespace) -> None:
    """Recover the people, write the files, say what was found.

    Raises:
        UnusableFileError, BadSampleError, CheckpointError, UsageError: what
            is wrong, in one line.
        SystemExit: with 3 if pictures were left out.
    """
    from mmd2a.cli.tool_config import UsageError

    check_body(args.to_body)
    inferencer = build_inferencer(args)
    other = args.to_body and OtherBody(
        args.to_body, inferencer.predictor.model.body_model
    )
    inputs = args.inputs[0] if len(args.inputs) == 1 else args.inputs
    left_out = _LeftOut()
    pictures = people = 0
    tracks: set[int] = set()
    for result in inferencer(
        inputs,
        batch_size=args.batch_size,
        bboxes=args.bbox or args.boxes,
        K=camera_matrix(args),
        fov=args.fov,
        depths=args.depth,
        vis_out_dir=args.out,
        pred_out_dir=args.out,
        on_error=left_out if _are_several(args) else None,
    ):
        found = result['predictions'][0]
        if other:
            other.add(found, pictures)
        pictures += 1
        people += len(found)
        tracks |= {p.track_id for p in found if p.track_id is not None}
        _tell_picture(args, result, inferencer.faces)
    if left_out.count and not pictures:
        raise UsageError('none of the pictures could be used, see above')
    _tell_whole(args, pictures, len(tracks) or people)
    if other:
        from mmd2a.cli.brief import tell

        tell(other.write(args.out))
    if left_out.count:
        sys.stderr.write(
            f'{_count(left_out.count, "picture was", "pictures were")} left '
            f'out of {pictures + left_out.count}, see above\n'
        )
        sys.exit(_SOME_LEFT_OUT)


class _LeftOut:
    """Tells of pictures that cannot be used, and counts them."""

    count = 0

    def __call__(self, error: Exception) -> None:
        from tqdm import tqdm

        self.count += 1
        # A line of its own, between a bar that moves.
        tqdm.write(f'left out: {error}', file=sys.stderr)


def _are_several(args: argparse.Namespace) -> bool:
    return len(args.inputs) > 1 or os.path.isdir(args.inputs[0])


def camera_matrix(args: argparse.Namespace) -> Any:
    """The intrinsics (3, 3) that the arguments give, or None."""
    return args.camera and [
        [args.camera[0], 0, args.camera[2]],
        [0, args.camera[1], args.camera[3]],
        [0, 0, 1],
    ]


def model_and_weights(model: str, weights: str | None) -> tuple[Any, Any]:
    """What ``--model`` and ``--weights`` of a command name.

    Args:
        model: name of weights that ship, or a config.
        weights: checkpoint, with a config.

    Returns:
        Name or config, and the address of the weights or None.

    Raises:
        UsageError: one without the other, or what is not there.
    """
    from mmd2a.apis.model_loading import names_config
    from mmd2a.cli.checkpoint_names import checkpoint_address
    from mmd2a.cli.shipped import require_shipped_model
    from mmd2a.cli.tool_config import UsageError, check_packages, read_config

    if not names_config(model):
        if weights is not None:
            raise UsageError(
                f'--weights goes with a config, but {model} names weights '
                'that ship: name one of both'
            )
        return require_shipped_model(model).name, None
    if weights is None:
        raise UsageError(
            f'{model} is a config: name its checkpoint with --weights'
        )
    cfg = read_config(model, {})
    check_packages(cfg)
    return cfg, checkpoint_address(weights)


def build_inferencer(args: argparse.Namespace) -> Any:
    """The inferencer of the arguments, its model loaded."""
    from mmd2a.apis.mesh_inferencer import MeshInferencer

    model, weights = model_and_weights(args.model, args.weights)
    others: dict[str, Any] = {} if args.smooth else dict(smoothing=None)
    return MeshInferencer(
        model,
        weights,
        args.device,
        det_model=args.detector,
        parameters=args.parameters,
        depth_kind=args.depth_kind,
        show_progress=len(args.inputs) > 1 or _is_long(args.inputs[0]),
        **others,
    )


def _is_long(path: str) -> bool:
    """Whether there are many pictures in one input."""
    kind, _ = mimetypes.guess_type(path)
    return os.path.isdir(path) or (kind or '').startswith('video/')


def _tell_picture(
    args: argparse.Namespace, result: dict[str, Any], faces: Any
) -> None:
    """Write the scene of a picture, and say what was found in it."""
    import numpy as np

    from mmd2a.apis.result_files import write_glb
    from mmd2a.cli.brief import tell

    [people], files = result['predictions'], list(result['files'])
    if not files:
        return  # A frame: the video is told as a whole.
    if people:
        scene = files[-1].with_suffix('.glb')
        write_glb(
            scene, np.stack([p.vertices + p.transl for p in people]), faces
        )
        files.append(scene)
    whom = '; '.join(
        f'{person.transl[2]:.1f} m away, sigma '
        f'{1e3 * float(person.sigma.mean()):.0f} mm'
        if person.sigma is not None
        else f'{person.transl[2]:.1f} m away'
        for person in people
    )
    count = 'nobody' if not people else _count(len(people), 'person', 'people')
    tell(
        f'{files[0].parent}/{files[0].stem.removesuffix("_mesh")}: '
        f'{count}{": " if whom else ""}{whom}'
    )
    tell('  ' + '  '.join(file.name for file in files))


def _tell_whole(args: argparse.Namespace, pictures: int, people: int) -> None:
    """Say what was taken for granted, and of a video what was found."""
    from mmd2a.cli.brief import tell

    if pictures > 1:
        tell(
            f'{_count(people, "person", "people")} in {pictures} pictures, '
            f'in {args.out}'
        )
    if not (args.bbox or args.boxes or args.detector):
        tell(
            'each picture was taken for one person, as a whole: name people '
            'with --bbox, --boxes or --detector'
        )
    if args.fov is None and args.camera is None:
        tell(
            'the field of view is assumed (53 degrees across the diagonal), '
            'and distances with it: give --fov or --camera'
        )


def _count(number: int, one: str, many: str) -> str:
    return f'{number} {one if number == 1 else many}'

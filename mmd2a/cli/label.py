"""Label very many pictures: meshes as npz, in shards, on many processes.

    mmd2a label FOLDER --boxes boxes.json --out labels
    torchrun --nproc_per_node 8 -m mmd2a.cli.main label FOLDER --out labels
    srun --ntasks 64 mmd2a label FOLDER --out labels

Killed at any moment and started again, it goes on where it was; the files are
the same whatever the number of processes. Pictures that cannot be used are
listed in OUT/index.json.
"""

import argparse
import hashlib
import os
from collections.abc import Mapping
from typing import Any

from mmd2a.cli import predict

__all__ = ['add_arguments', 'check', 'run']

# Of torchrun, and of a step of srun (not of the script that sbatch runs).
_RANKS = (('RANK', 'WORLD_SIZE'), ('SLURM_PROCID', 'SLURM_STEP_NUM_TASKS'))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mmd2a label``."""
    parser.add_argument(
        'inputs',
        nargs=1,
        metavar='FOLDER|LIST',
        help='folder, with folders in it; or a text file, a path per line',
    )
    parser.add_argument('--out', required=True, metavar='DIR')
    parser.add_argument(
        '--shards',
        type=int,
        metavar='N',
        help='files that the labels come in; by default one per 256 pictures',
    )
    people = parser.add_mutually_exclusive_group()
    people.add_argument(
        '--boxes', metavar='FILE', help='COCO .json, or a folder of YOLO .txt'
    )
    people.add_argument(
        '--detector',
        metavar='NAME',
        help='name or config of a detector of mmdet that finds people',
    )
    parser.add_argument(
        '--fov',
        type=float,
        metavar='DEG',
        help='field of view across the longer side',
    )
    parser.add_argument(
        '--camera',
        nargs=4,
        type=float,
        metavar=('FX', 'FY', 'CX', 'CY'),
        help='intrinsics of all pictures, pixels; instead of --fov',
    )
    predict.add_model_arguments(parser)
    parser.add_argument(
        '--batch-size', type=int, default=8, help='pictures together'
    )
    parser.add_argument(
        '--threads',
        type=int,
        default=1,
        metavar='N',
        help='of each process on the CPU; more processes are faster than '
        'more threads (default: 1)',
    )
    parser.add_argument(
        '--rank', type=int, help='number of this process, if nobody says it'
    )
    parser.add_argument(
        '--world-size', type=int, metavar='N', help='with --rank: processes'
    )
    parser.set_defaults(depth=None, depth_kind='metric', smooth=True)


def check(args: argparse.Namespace) -> None:
    """Find mistakes that need none of the seconds of imports.

    Raises:
        OSError: a file cannot be used.
        ValueError: arguments that do not fit each other.
    """
    predict.check(args)
    for name in ('shards', 'threads'):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f'--{name} {value}: give 1 or more')
    rank, world_size = _rank(args, os.environ)
    if not 0 <= rank < world_size:
        raise ValueError(
            f'rank {rank} is none of {world_size} processes: give --rank 0 to '
            f'{world_size - 1}'
        )


def run(args: argparse.Namespace) -> None:
    """Label the shards of this process, and say how far all are.

    Raises:
        UnusableFileError, InputError, CheckpointError, UsageError: what is
            wrong, in one line.
    """
    import torch

    from mmd2a.apis.label_pictures import PictureList
    from mmd2a.apis.labeller import Labeller
    from mmd2a.apis.labelling import LabelJob

    torch.set_num_threads(args.threads)
    rank, world_size = _rank(args, os.environ)
    job = LabelJob(
        PictureList.of(args.inputs[0]), args.out, _settings(args), args.shards
    )
    labeller = Labeller(
        predict.build_inferencer(args),
        args.boxes,
        K=predict.camera_matrix(args),
        fov=args.fov,
        batch_size=args.batch_size,
    )
    _tell(job.run(labeller, rank, world_size, rank == 0), args.out)


def _rank(
    args: argparse.Namespace, environment: Mapping[str, str]
) -> tuple[int, int]:
    """Number of this process, and how many there are."""
    if (args.rank is None) != (args.world_size is None):
        raise ValueError('--rank and --world-size go together: give both')
    if args.rank is not None:
        return args.rank, args.world_size
    for rank, world_size in _RANKS:
        if rank in environment and world_size in environment:
            return int(environment[rank]), int(environment[world_size])
    return 0, 1


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    """What labels depend on, but for the machine."""
    names = ('detector', 'fov', 'camera', 'parameters', 'model', 'device')
    settings = {name: getattr(args, name) for name in names}
    for name in ('boxes', 'weights'):
        path = getattr(args, name)
        settings[name] = path and _contents(path)
    return settings | dict(batch_size=args.batch_size, threads=args.threads)


def _contents(path: str) -> str:
    """What a file holds, in short; of a folder or an address, its name."""
    from mmd2a.files import open_regular_file

    if not os.path.isfile(path):
        return path
    digest = hashlib.sha256()
    with open_regular_file(path, 2**63) as file:
        while piece := file.read(2**20):
            digest.update(piece)
    return f'{os.path.basename(path)} {digest.hexdigest()[:16]}'


def _tell(progress: Any, out: str) -> None:
    from mmd2a.cli.brief import tell

    tell(
        f'{out}: {progress.num_done} of {progress.num_shards} shards done, '
        f'{progress.num_people} people in {progress.num_pictures} pictures'
    )
    for each in progress.unusable[:5]:
        tell(f'  not usable: {each["image_path"]}: {each["reason"]}')
    if len(progress.unusable) > 5:
        tell(f'  and {len(progress.unusable) - 5} more, see the reports')

"""Write a model as one file for other runtimes: ONNX or torch.export.

    mmd2a export mmd2a://d2a_hmr_mobilenet-v2 --out model.onnx
    mmd2a export CONFIG --weights FILE --format torch --out model.pt2

The file takes batches of any size, tells by itself how crops are made and what
its numbers are, and was compared with the model before it was written.
"""

import argparse
from typing import Any

__all__ = ['add_arguments', 'check', 'run']

_ENDINGS = dict(onnx='.onnx', torch='.pt2')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mmd2a export``."""
    parser.add_argument(
        'model',
        metavar='NAME|CONFIG',
        help='weights that ship (see mmd2a weights), or a config',
    )
    parser.add_argument(
        '--weights', metavar='FILE', help='checkpoint, with a config'
    )
    parser.add_argument('--format', choices=tuple(_ENDINGS), default='onnx')
    parser.add_argument(
        '--dtype',
        choices=('fp32', 'fp16', 'bf16'),
        default='fp32',
        help='of backbone and encoder; inputs and outputs are fp32',
    )
    parser.add_argument(
        '--mask', action='store_true', help='also give the silhouette'
    )
    parser.add_argument('--out', required=True, metavar='FILE')


def check(args: argparse.Namespace) -> None:
    """Find mistakes that need none of the seconds of imports.

    Raises:
        ValueError: the ending of the file is that of another format.
    """
    ending = _ENDINGS[args.format]
    if not args.out.endswith(ending):
        raise ValueError(
            f'--out {args.out}: --format {args.format} is a file that ends in '
            f'{ending}'
        )


def run(args: argparse.Namespace) -> None:
    """Export, compare, write, say how close it is.

    Raises:
        InputError, CheckpointError, UsageError, OSError: what is wrong, in
            one line.
    """
    from mmd2a.apis.export_model import export_model
    from mmd2a.cli.brief import tell
    from mmd2a.cli.predict import model_and_weights

    model, weights = model_and_weights(args.model, args.weights)
    done = export_model(
        model, args.out, args.format, args.dtype, weights, args.mask
    )
    megabytes = done.path.stat().st_size / 1e6
    tell(f'{done.path}: {megabytes:.1f} MB, {_told(done)}')


def _told(done: Any) -> str:
    if done.difference is None:
        return 'not compared with the model: install onnxruntime for that'
    return (
        f'differs from the model by {done.difference:.1e} at most (m, '
        'batches of 1 and 3)'
    )

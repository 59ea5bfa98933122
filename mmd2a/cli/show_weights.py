"""Tell what weights ship: licence, training data, numbers, limits."""

import argparse
from typing import Any

__all__ = ['add_arguments', 'check', 'run']


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of ``mmd2a weights``."""
    parser.add_argument(
        'name', nargs='?', help='tell all of these; the list if not given'
    )


def check(args: argparse.Namespace) -> None:
    """Nothing can be wrong before the index is read."""


def run(args: argparse.Namespace) -> None:
    """Tell the list, or all that is known of one.

    Raises:
        CheckpointError: there are none of that name.
        UnusableFileError: a file is not the one that the index speaks of.
    """
    from mmd2a.cli.brief import tell
    from mmd2a.weights import find_weights, read_index, read_weights
    from mmd2a.weights.index import weights_folders

    if args.name is None:
        for folder in weights_folders():
            for entry in read_index(folder).values():
                tell(_line(entry))
        return
    entry, path = find_weights(args.name)
    read_weights(entry.name)  # Compares the digest.
    tell(_line(entry))
    tell(f'file: {path} (as the index says)\nmade with: {entry.made_with}')
    for data in entry.training_data:
        tell(f'trained on: {data["name"]}, {data["licence"]}')
    for name, result in entry.results.items():
        numbers = [
            f'{key} {value["value"]:.1f}'
            for key, value in result['metrics'].items()
            if key.endswith('MPJPE')
        ]
        if numbers:
            tell(f'on {name}: {", ".join(numbers)} mm')
    for limit in entry.limits:
        tell(f'limit: {limit}')


def _line(entry: Any) -> str:
    kind = (
        f'initial weights: {", ".join(entry.parts)}'
        if entry.parts
        else ('model: mmd2a predict --model ' + entry.name)
    )
    size = entry.size / 1e6
    return f'{entry.name}  {size:.1f} MB  {entry.licence}  ({kind})'

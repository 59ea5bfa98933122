"""Make splits of the synthetic people ahead of training.

    python tools/data/make_synthetic_people.py --config \\
        configs/d2a_hmr_hrnet.py              # what this config needs
    python tools/data/make_synthetic_people.py --num-people 9000 \\
        --splits train --image-size 192
    python tools/data/make_synthetic_people.py --num-people 500 \\
        --splits val test ood --image-size 192

Interrupted work is continued by the same command; more people are added to
those that are there.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

import argparse
from collections.abc import Iterator, Sequence
from typing import Any

from mmd2a.cli.brief import add_brief_argument, is_brief, tell
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError, add_option_argument, read_config
from mmd2a.datasets.synthetic_people import Cache, generate_people
from mmd2a.people.motion_files import list_motion_files
from mmd2a.people.person import LOOKS
from mmd2a.people.poses import SPLITS
from mmd2a.registry import DATASETS


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--config',
        help='make the data sets of this config, '
        'all settings taken from there',
    )
    add_option_argument(parser)
    add_brief_argument(parser)
    parser.add_argument('--data-root', default='data/synthetic_people')
    parser.add_argument(
        '--splits',
        nargs='+',
        choices=list(SPLITS),
        default=['train', 'val', 'test', 'ood'],
    )
    parser.add_argument(
        '--num-people',
        type=int,
        default=1000,
        help='people in each of the splits',
    )
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--looks', choices=LOOKS, default='plain')
    parser.add_argument('--shard-size', type=int, default=100)
    parser.add_argument(
        '--motions',
        nargs='*',
        default=[],
        help='BVH or AMASS npz files, or folders of them',
    )
    parser.add_argument(
        '--num-workers',
        type=int,
        default=None,
        help='processes; all cores if not given',
    )
    return parser.parse_args()


def make_for_config(path: str, options: dict) -> None:
    """Make the people of every data loader of a config."""
    cfg = read_config(path, options)
    found = [
        settings
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader')
        for settings in find_people((cfg.get(loader) or {}).get('dataset'))
    ]
    if not found:
        raise UsageError(f'{path} has no data set of synthetic people')
    made = []
    for settings in found:
        check_motions(settings.get('motions') or [])
        people = DATASETS.build({**settings, 'pipeline': []})
        split, folder = people.cache.split, people.cache.folder
        print(f'{split}: {len(people)} people in {folder}')
        made.append(f'{len(people)} {split}')
    if is_brief():  # where print does not show
        tell(f'people: {", ".join(made)}')


def check_motions(paths: str | Sequence[str]) -> None:
    """Check that the user's own motions are there, if any are named."""
    try:
        if paths:
            list_motion_files(paths)
    except FileNotFoundError as error:
        raise UsageError(str(error)) from error


def find_people(settings: Any) -> Iterator[dict]:
    """Configs of synthetic people, also inside wrappers."""
    if isinstance(settings, dict):
        if str(settings.get('type')).split('.')[-1] == 'SyntheticPeople':
            yield settings
        else:
            yield from find_people(list(settings.values()))
    elif isinstance(settings, (list, tuple)):
        for entry in settings:
            yield from find_people(entry)


def main() -> None:
    """Make the people."""
    args = parse_args()
    if args.config:
        make_for_config(args.config, args.cfg_options)
        return
    check_motions(args.motions)
    for split in args.splits:
        cache = Cache(
            args.data_root,
            split,
            args.image_size,
            args.seed,
            args.shard_size,
            tuple(args.motions),
            args.looks,
        )
        made = generate_people(cache, args.num_people, args.num_workers)
        tell(
            f'{split}: {args.num_people} people in {cache.folder} '
            f'({made} made now)'
        )


if __name__ == '__main__':
    run_tool(main)

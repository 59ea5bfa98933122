"""Make weights that ship of a checkpoint: a file, and its entry in the index.

    python tools/weights/export_weights.py CONFIG CHECKPOINT NAME \
        --card card.yml --results test=results.json --errors test=errors.json

CONFIG is named as ``mmd2a::`` knows it or by its path in configs/. The card
tells what no program knows:

    licence: Apache-2.0                  # SPDX
    training_data:
      - {name: SyntheticPeople, licence: Apache-2.0, what: 40000 people}
    recipe: {command: python tools/train.py ..., commit: c0ffee, time: 60 min}
    limits: [people upside down]         # where it fails
    pictures: [{file: images/worst.jpg, caption: The worst ten}]  # in docs/

Results are what tools/test.py --out wrote, errors what MeshMetric wrote on
the same run (--cfg-options test_evaluator.0.outfile_prefix=errors, without 0
where there is one evaluator); intervals come from them. Averaged weights (EMA)
are taken where the checkpoint has them.
--parts makes *initial weights* of parts of the model: they need no results.
"""

import argparse
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_file,
    check_packages,
    read_config,
)
from mmd2a.engine.checkpoint_loading import (
    checkpoint_weights,
    load_every_parameter,
    read_checkpoint,
)
from mmd2a.files import read_json, read_yaml
from mmd2a.registry import MODELS
from mmd2a.weights import WEIGHTS_FOLDER
from mmd2a.weights.results import metrics_with_intervals
from mmd2a.weights.writing import to_ship, write_weights

CARD = ('licence', 'training_data', 'recipe')
MAX_BYTES = 2**22


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('name', help='of the weights')
    parser.add_argument('--card', required=True, help='.yml or .json')
    for what in ('results', 'errors'):
        parser.add_argument(
            f'--{what}',
            action='append',
            default=[],
            metavar='SET=FILE.json',
            help=f'{what} on a data set; may be given for several',
        )
    parser.add_argument(
        '--parts',
        nargs='+',
        default=[],
        metavar='PART',
        help='initial weights: these parts of the model alone',
    )
    parser.add_argument(
        '--folder', default=str(WEIGHTS_FOLDER), help='of the index'
    )
    add_option_argument(parser)
    return parser.parse_args()


def read_card(path: str) -> dict[str, Any]:
    """Read the card and check that it tells what has to be told."""
    check_file(path, 'card')
    read = read_json if path.endswith('.json') else read_yaml
    card = read(path, max_bytes=MAX_BYTES)
    if not isinstance(card, dict):
        raise UsageError(f'{path} is no card: it needs {", ".join(CARD)}')
    missing = [key for key in CARD if not card.get(key)]
    unknown = sorted(set(card) - {*CARD, 'limits', 'pictures'})
    if missing or unknown:
        raise UsageError(
            f'{path}: '
            + (
                f'{", ".join(missing)} missing'
                if missing
                else f'{", ".join(unknown)} is nothing that a card tells'
            )
            + '; see tools/weights/export_weights.py --help'
        )
    return card


def by_data_set(values: list[str], option: str) -> dict[str, dict]:
    """Read the files of an option, by their data sets."""
    files = {}
    for value in values:
        name, _, path = value.partition('=')
        if not path:
            raise UsageError(f'{option} {value}: give SET=FILE.json')
        check_file(path, f'file of {option[2:]}')
        files[name] = read_json(path, top=dict)
    return files


def config_name(config: str) -> str:
    """What ``mmd2a::`` calls a config."""
    if config.startswith('mmd2a::'):
        return config.removeprefix('mmd2a::')
    configs = WEIGHTS_FOLDER.parents[1] / '.mim' / 'configs'
    path = Path(config).resolve()
    if not path.is_relative_to(configs.resolve()):
        raise UsageError(
            f'{config} is no config of this package: weights that ship need '
            'one of configs/ that everybody has'
        )
    return str(path.relative_to(configs.resolve()))


def all_results(args: argparse.Namespace) -> dict[str, dict]:
    """Metrics with intervals, by data set."""
    results = by_data_set(args.results, '--results')
    errors = by_data_set(args.errors, '--errors')
    if not results and not args.parts:
        raise UsageError(
            'a model that ships has measured numbers: give --results '
            'test=results.json, written by tools/test.py --out'
        )
    without = sorted(set(errors) - set(results))
    if without:
        raise UsageError(f'--errors {without[0]} has no --results')
    return {
        name: metrics_with_intervals(content, errors.get(name))
        for name, content in results.items()
    }


def load(
    model: nn.Module, checkpoint: Any, path: str, parts: list[str]
) -> None:
    """Load the whole model, or parts of it from a file that has them."""
    if not parts:
        load_every_parameter(model, checkpoint, path)
        return
    weights = checkpoint_weights(checkpoint, path)
    for part in parts:
        module = getattr(model, part, None)
        if not isinstance(module, nn.Module):
            raise UsageError(f'the model has no part {part}')
        start = f'{part}.'
        load_every_parameter(
            module,
            {
                key.removeprefix(start): value
                for key, value in weights.items()
                if key.startswith(start)
            },
            f'{part} of {path}',
        )


def main() -> None:
    args = parse_args()
    name = config_name(args.config)
    card = read_card(args.card)
    results = all_results(args)
    cfg: Config = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    checkpoint = checkpoint_address(args.checkpoint)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    model, fresh = (MODELS.build(cfg.model) for _ in range(2))
    # Averaged weights stand where those of the optimiser were: MMEngine
    # swaps them when it saves.
    load(model, read_checkpoint(checkpoint, 'cpu'), checkpoint, args.parts)
    entry = write_weights(
        args.folder,
        args.name,
        to_ship(model, fresh, args.parts),
        dict(
            config=name,
            cfg_options=args.cfg_options,
            parts=args.parts,
            results=results,
            **card,
        ),
    )
    print(
        f'wrote {args.folder}/{entry.file}: {entry.num_parameters:,} numbers, '
        f'{entry.size / 1e6:.1f} MB, {entry.address}'
    )


if __name__ == '__main__':
    run_tool(main)

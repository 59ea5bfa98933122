"""Draw what a model that ships sees: a few test people, and a photograph.

    python tools/analysis/draw_shipped.py --out shipped.png

No training and no data set is needed: its weights are in the package, and the
people are made now. The photograph is that of docs/photos.md, without depth.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

import argparse
from pathlib import Path

import torch
from draw_sheet import draw, require_d2a_hmr
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope

from mmd2a.apis.get_model import get_model, weights_config
from mmd2a.cli.brief import add_brief_argument, tell
from mmd2a.cli.launch import run_tool
from mmd2a.cli.shipped import require_shipped_model
from mmd2a.cli.tool_config import check_packages
from mmd2a.files import check_image_format
from mmd2a.registry import DATASETS

PHOTO = Path(__file__).parents[2] / 'docs' / 'images' / 'balancing.json'


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--weights',
        metavar='NAME',
        help='of the index; the first model of it if not given',
    )
    parser.add_argument('--out', default='shipped.png')
    parser.add_argument('--num', type=int, default=4, help='people to make')
    parser.add_argument('--data-root', default='data/synthetic_people')
    add_brief_argument(parser)
    return parser.parse_args()


def test_people(cfg: Config, folder: str, number: int) -> BaseDataset:
    """The first test people of a config, made if they are not there."""
    settings = dict(
        cfg.test_dataloader.dataset,
        data_root=folder,
        num_people=number,
        shard_size=number,
    )
    return DATASETS.build(settings)


def photo(cfg: Config) -> BaseDataset:
    """A data set of the photograph."""
    # What makes rendered depth worse has nothing to do here.
    pipeline = [
        step
        for step in cfg.test_dataloader.dataset.pipeline
        if step['type'] != 'mmd2a.DegradeDepth'
    ]
    return DATASETS.build(
        dict(
            type='mmd2a.BodyDataset',
            ann_file=str(PHOTO),
            data_prefix=dict(img_path=str(PHOTO.parent)),
            pipeline=pipeline,
            test_mode=True,
        )
    )


def main() -> None:
    args = parse_args()
    check_image_format(args.out)
    entry = require_shipped_model(args.weights)
    cfg = weights_config(entry)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_d2a_hmr(cfg.model)
    # The sheet shows the silhouette too.
    model = get_model(f'mmd2a::{entry.name}', keep_mask=True)
    if torch.cuda.is_available():
        model.to(torch.accelerator.current_accelerator())
    people = list(test_people(cfg, args.data_root, args.num))
    if PHOTO.exists():
        people += list(photo(cfg))
    draw(model, people, args.out)
    tell(f'{entry.address} sees {len(people)} people: {args.out}')


if __name__ == '__main__':
    run_tool(main)

"""Draw labelled samples of a config, and check whether labels agree.

    python tools/data/show_samples.py CONFIG --out samples.png
    python tools/data/show_samples.py CONFIG --check

A row per person, taken at equal steps through the data set, as the training
gets it: box and joints (left green, right orange, hidden ones hollow), the
labelled body, mask and depth. --check compares labels with each other instead,
in the whole pictures: units, handedness, frames, axes that point the other
way, the order of joints, boxes, masks and depth. It exits with 1 if something
is wrong.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

import argparse
import sys
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.body_models import SMPLBodyModel, build_body, joint_names
from mmd2a.cli.brief import add_brief_argument, tell
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_packages,
    read_config,
)
from mmd2a.datasets import BadSampleError
from mmd2a.datasets.consistency import (
    LabelledPerson,
    check_labels,
    labelled_person,
)
from mmd2a.datasets.skeletons import skeleton_links
from mmd2a.datasets.transforms import LoadFrame
from mmd2a.files import check_image_format
from mmd2a.registry import DATASETS
from mmd2a.structures import BodyDataSample
from mmd2a.visualization import draw_sheet, label_tiles, save_image
from mmd2a.visualization.label_tiles import LABEL_TILE_NAMES


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument(
        '--loader',
        choices=('train', 'val', 'test'),
        default='train',
        help='whose data set',
    )
    parser.add_argument(
        '--num', type=int, help='people: 6 to draw, 64 to check, if not given'
    )
    parser.add_argument('--out', default='samples.png')
    parser.add_argument('--check', action='store_true')
    add_option_argument(parser)
    add_brief_argument(parser)
    return parser.parse_args()


def build_dataset(cfg: Config, loader: str) -> Any:
    """Build the data set of a loader of a config."""
    settings = cfg.get(f'{loader}_dataloader') or {}
    if settings.get('dataset') is None:
        raise UsageError(f'the config has no {loader}_dataloader.dataset')
    return DATASETS.build(settings['dataset'])


def draw_sample(
    packed: dict, body: SMPLBodyModel, side: int = 256
) -> dict[str, np.ndarray]:
    """Tiles of one sample of the pipeline."""
    sample = packed['data_samples']
    if not isinstance(sample, BodyDataSample):
        raise UsageError(
            f'its pipeline packs {type(sample).__name__}; samples are drawn '
            'of pipelines that end in mmd2a.PackBodySample'
        )
    image = packed['inputs']['img'].permute(1, 2, 0).numpy()[..., ::-1]
    betas = torch.zeros(body.num_betas)
    given = sample.gt.betas[: body.num_betas]
    betas[: len(given)] = given
    with torch.no_grad():
        vertices = body(
            sample.gt.global_orient[None],
            sample.gt.body_pose[None],
            betas[None],
            sample.gt.transl[None],
        ).vertices[0]
    return label_tiles(
        sample,
        np.ascontiguousarray(image),
        joint_names(sample.joint_set),
        skeleton_links(sample.joint_set),
        packed['inputs'].get('depth'),
        vertices.numpy(),
        body.faces.numpy(),
        side,
    )


def draw(dataset: Any, picks: np.ndarray, body: SMPLBodyModel) -> np.ndarray:
    """The sheet of some samples."""
    # The same people look the same in every run.
    np.random.seed(0)  # noqa: NPY002
    rows, captions = [], []
    for pick in picks:
        packed = dataset[int(pick)]
        rows.append(draw_sample(packed, body))
        name = str(packed['data_samples'].get('img_path')).split('/')[-1]
        captions.append(name[-24:])
    columns = [
        name for name in LABEL_TILE_NAMES if any(name in row for row in rows)
    ]
    return draw_sheet(rows, columns, captions)


def loader_of(dataset: Any) -> LoadFrame | None:
    """The transform of a data set, wrapped or not, that reads pictures."""
    while not hasattr(dataset, 'pipeline'):
        inner = getattr(dataset, 'dataset', None)
        if inner is None:
            inner = (getattr(dataset, 'datasets', None) or [None])[0]
        if inner is None:
            return None
        dataset = inner
    steps = getattr(dataset.pipeline, 'transforms', [])
    return next((s for s in steps if isinstance(s, LoadFrame)), None)


def gather(
    dataset: Any, picks: np.ndarray, body: SMPLBodyModel
) -> list[LabelledPerson]:
    """Labels of some people, and of what cannot be used a word."""
    load = loader_of(dataset)
    people = []
    for pick in picks:
        entry = dataset.get_data_info(int(pick))
        try:
            frame = None if load is None else load(dict(entry))
            people.append(labelled_person(entry, body, frame))
        except (BadSampleError, ValueError) as error:
            tell(f'SUSPECT  sample {pick}: {error}')
    return people


def check(dataset: Any, picks: np.ndarray, body: SMPLBodyModel) -> int:
    """Print what each check finds; return how many found something."""
    people = gather(dataset, picks, body)
    findings = check_labels(people)
    for finding in findings:
        tell(str(finding))
    wrong = sum(finding.problem is not None for finding in findings)
    wrong += len(people) < len(picks)
    compared = sum(finding.number > 0 for finding in findings)
    tell(
        f'{len(people)} of {len(dataset)} people looked at: {wrong} of '
        f'{compared} checks found something'
        if wrong
        else f'{len(people)} of {len(dataset)} people looked at: all '
        f'{compared} checks that apply agree'
    )
    return wrong


def main() -> None:
    """Draw or check."""
    args = parse_args()
    if args.num is not None and args.num < 1:
        raise UsageError(f'--num must be positive, not {args.num}')
    if not args.check:
        check_image_format(args.out)
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    dataset = build_dataset(cfg, args.loader)
    body = build_body(cfg.get('body_model'))
    number = min(args.num or (64 if args.check else 6), len(dataset))
    picks = np.linspace(0, len(dataset) - 1, number).astype(int)
    if args.check:
        sys.exit(1 if check(dataset, picks, body) else 0)
    save_image(args.out, draw(dataset, picks, body))
    tell(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main)

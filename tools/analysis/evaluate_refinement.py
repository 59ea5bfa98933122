"""Measure refining towards 2-D keypoints, on people with labels.

    python tools/analysis/evaluate_refinement.py CONFIG CHECKPOINT \
        --out refined.json

Keypoints are, in turn: those of a detector, the true places of joints that
are visible, with noise of 2 pixels along each axis where the crop is 96
(--noise, --seeds); and those of the model's own localizer, all joints, whose
noise is taken to be 4 such pixels. Told before and after refining: distance
to the true places of visible and of hidden joints, pixels of 96; MPJPE and
PA-MPJPE, mm; distance of the root, mm. Beside PA-MPJPE stands its change with
the half-width of a 95 % interval over people.
"""

import argparse
import sys
import time
from typing import Any, NamedTuple

import numpy as np
import torch
from draw_sheet import build_model, require_d2a_hmr
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from person_meshes import predict_people

from mmd2a.apis import PersonMesh, refine
from mmd2a.apis.refinement_inputs import crop_side
from mmd2a.body_models import BodyFitter
from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    add_option_argument,
    check_packages,
    read_config,
    require_parts,
)
from mmd2a.evaluation import mpjpe, pa_mpjpe
from mmd2a.files import write_json
from mmd2a.registry import DATASETS

CROP = 96.0
LOCALIZER_NOISE = 4.0
VISIBLE = 2  # as COCO has it
HALF_WIDTH = 1.96
COLUMNS = ('visible', 'hidden', 'MPJPE', 'PA-MPJPE', 'root')


class Labels(NamedTuple):
    """True places of the joints of people; N: people, J: joints."""

    keypoints2d: NDArray
    """(N, J, 2), pixels of the picture."""
    visible: NDArray
    """(N, J), bool."""
    keypoints3d: NDArray
    """(N, J, 3), camera frame, m."""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument(
        'checkpoint', help='file, or name of weights that ship'
    )
    parser.add_argument('--splits', nargs='+', default=['test', 'ood'])
    parser.add_argument('--num', type=int, default=200, help='of each split')
    parser.add_argument('--noise', type=float, default=2.0, metavar='PIXELS')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1, 2])
    parser.add_argument(
        '--gaussian', action='store_true', help='leave the flow out'
    )
    parser.add_argument('--out', metavar='FILE.json')
    add_option_argument(parser)
    return parser.parse_args()


def read_labels(dataset: Any, picks: list[int]) -> Labels:
    """The labels of some people of a data set."""
    infos = [dataset.get_data_info(index) for index in picks]
    return Labels(
        np.stack([info['keypoints2d'] for info in infos]).astype(float),
        np.stack([info['keypoints2d_visibility'] for info in infos])
        == VISIBLE,
        np.stack([info['keypoints3d'] for info in infos]).astype(float),
    )


def measure(
    people: list[PersonMesh], labels: Labels, root: list[int]
) -> dict[str, NDArray]:
    """Errors of people (N,), NaN where nothing can be said."""
    unit = np.array([CROP / crop_side(person) for person in people])
    off = np.stack([p.keypoints2d for p in people]) - labels.keypoints2d
    away = unit[:, None] * np.linalg.norm(off, axis=-1)
    joints = torch.tensor(np.stack([p.keypoints3d for p in people])).double()
    roots = labels.keypoints3d[:, root].mean(1)
    target = torch.from_numpy(labels.keypoints3d - roots[:, None])
    place = np.stack([p.transl for p in people]) - roots
    return {
        'visible': _mean_where(away, labels.visible),
        'hidden': _mean_where(away, ~labels.visible),
        'MPJPE': 1e3 * mpjpe(joints, target).numpy(),
        'PA-MPJPE': 1e3 * pa_mpjpe(joints, target).numpy(),
        'root': 1e3 * np.linalg.norm(place, axis=1),
    }


def _mean_where(values: NDArray, counted: NDArray) -> NDArray:
    count = counted.sum(1)
    total = (values * counted).sum(1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def detected(
    people: list[PersonMesh], labels: Labels, noise: float, seed: int
) -> tuple[NDArray, NDArray]:
    """Keypoints of a detector that finds what is visible, with noise."""
    sides = np.array([crop_side(person) for person in people])
    shake = np.random.default_rng(seed).normal(size=labels.keypoints2d.shape)
    shake *= noise / CROP * sides[:, None, None]
    return labels.keypoints2d + shake, labels.visible.astype(float)


def compare(
    before: dict[str, NDArray], after: list[dict[str, NDArray]]
) -> dict[str, Any]:
    """Means before and after, over seeds, and what changed."""
    row: dict[str, Any] = {}
    for name in COLUMNS:
        means = [float(np.nanmean(each[name])) for each in after]
        row[name] = dict(
            before=float(np.nanmean(before[name])),
            after=float(np.mean(means)),
            spread=float(np.std(means)),
        )
    change = np.mean([each['PA-MPJPE'] for each in after], 0)
    change -= before['PA-MPJPE']
    row['PA-MPJPE change'] = dict(
        value=float(change.mean()),
        half_width=float(HALF_WIDTH * change.std() / len(change) ** 0.5),
    )
    lower = row['visible']
    row['visible lowered by'] = 1 - lower['after'] / lower['before']
    return row


def tell(name: str, row: dict[str, Any], seconds: float) -> None:
    """Print one row."""
    cells = [
        f'{key} {row[key]["before"]:.1f} -> {row[key]["after"]:.1f}'
        for key in COLUMNS
    ]
    change = row['PA-MPJPE change']
    print(
        f'{name}: {", ".join(cells)}; visible '
        f'{-100 * row["visible lowered by"]:+.0f} %, PA-MPJPE '
        f'{change["value"]:+.1f} +- {change["half_width"]:.1f}; '
        f'{1e3 * seconds:.0f} ms a person'
    )


def main() -> None:
    args = parse_args()
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_d2a_hmr(cfg.get('model', {}))
    require_parts(cfg, 'test')
    model = build_model(cfg.model, checkpoint_address(args.checkpoint))
    model.cpu().requires_grad_(False)
    fitter = BodyFitter(model.body_model)
    flow = None if args.gaussian else model.flow_head
    rows = {}
    for split in args.splits:
        dataset = DATASETS.build(
            dict(cfg.test_dataloader.dataset, split=split)
        )
        chosen = np.linspace(0, len(dataset) - 1, args.num).astype(int)
        picks = chosen.tolist()
        people = predict_people(model, dataset, picks)
        labels = read_labels(dataset, picks)
        root = model.objective.root_ids
        before = measure(people, labels, root)
        sources = {
            'detector': [
                (*detected(people, labels, args.noise, seed), args.noise)
                for seed in args.seeds
            ]
        }
        if people[0].keypoints2d_localized is not None:
            found = np.stack([p.keypoints2d_localized for p in people])
            sources['localizer'] = [(found, None, LOCALIZER_NOISE)]
        for source, runs in sources.items():
            after, start = [], time.perf_counter()
            for keypoints, scores, noise in runs:
                done = refine(
                    people,
                    keypoints,
                    scores,
                    model.objective.joint_set,
                    noise / CROP,
                    flow,
                    fitter,
                )
                after.append(measure(done.people, labels, root))
            seconds = time.perf_counter() - start
            name = f'{split}, {source}'
            rows[name] = compare(before, after)
            tell(name, rows[name], seconds / len(runs) / len(people))
    print(
        f'({args.num} people of each split, seeds '
        f'{" ".join(map(str, args.seeds))})'
    )
    if args.out is not None:
        write_json(
            args.out,
            dict(command='python ' + ' '.join(sys.argv), rows=rows),
            indent=1,
        )


if __name__ == '__main__':
    run_tool(main)

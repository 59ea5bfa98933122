"""Compare evaluation results with predictors that ignore the image.

The mean-pose predictor answers every image with one mesh: the mean pose and
shape of the training people, in the constant orientation that minimises the
mean joint error over them.

People face any direction, so even the best orientation is wrong for most. A
second row answers with the mean of all posed training meshes: not a body (the
limbs average out), but the harder reference, because a model that has learnt
nothing from its input and is free to predict any mesh ends up there.

    python tools/analysis/compare_with_mean_pose.py CONFIG RESULTS.json

RESULTS.json is what ``tools/test.py --out`` wrote. Both rows are computed by
the config's own evaluator, on the same people, under the same protocols.
--shipped adds a row of a model that ships, with what the index of weights
says of the test people of its own config.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

import argparse
import math

import numpy as np
import roma
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.registry import init_default_scope
from scipy.optimize import minimize
from scipy.spatial.transform import Rotation

from mmd2a.body_models import SMPLBodyModel
from mmd2a.cli.brief import add_brief_argument, tell
from mmd2a.cli.launch import run_tool
from mmd2a.cli.shipped import require_shipped_model
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_file,
    read_config,
    require_parts,
)
from mmd2a.files import UnusableFileError, read_json
from mmd2a.geometry import root_position
from mmd2a.registry import DATASETS, METRICS

LABELS = (
    'global_orient',
    'body_pose',
    'betas',
    'transl',
    'smpl_weight',
    'keypoints3d',
    'keypoints3d_weight',
)
NAMES = ('MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z')


def read_labels(dataset: BaseDataset) -> dict[str, torch.Tensor]:
    """Stack the 3-D labels of a data set without reading an image."""
    infos = [dataset.get_data_info(i) for i in range(len(dataset))]
    return {
        key: torch.as_tensor(
            np.stack([np.asarray(info[key], np.float32) for info in infos])
        )
        for key in LABELS
    }


def mean_body(
    labels: dict[str, torch.Tensor],
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean pose (1, 69), by the chordal mean of rotations, and betas."""
    rotations = roma.rotvec_to_rotmat(labels['body_pose'].reshape(-1, 23, 3))
    mean = roma.special_procrustes(rotations.mean(0))
    return (
        roma.rotmat_to_rotvec(mean).reshape(1, 69),
        labels['betas'].mean(0, keepdim=True),
    )


def best_orientation(joints: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Rotation matrix that minimises the mean joint error over all people.

    Args:
        joints: root-relative joints of the mean body (J, 3).
        targets: root-relative joints of the people (N, J, 3).
    """

    def error(rotvec: np.ndarray) -> float:
        rotation = Rotation.from_rotvec(rotvec).as_matrix()
        return float(
            np.linalg.norm(joints @ rotation.T - targets, axis=-1).mean()
        )

    # Upright in the camera frame at eight headings; the problem has several
    # local minima.
    upright = Rotation.from_rotvec([np.pi, 0, 0])
    starts = [
        (upright * Rotation.from_rotvec([0, yaw, 0])).as_rotvec()
        for yaw in np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ]
    best = min(
        (minimize(error, start, method='Powell') for start in starts),
        key=lambda result: result.fun,
    )
    return Rotation.from_rotvec(best.x).as_matrix()


def constant_metrics(
    cfg: Config, root_names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    """Evaluate both constant predictors as the config evaluates a model."""
    train = DATASETS.build(cfg.train_dataloader.dataset)
    test = DATASETS.build(cfg.test_dataloader.dataset)
    body = SMPLBodyModel()
    joint_set = cfg.test_dataloader.dataset.joint_set
    names = body.joint_names(joint_set)
    root = [names.index(name) for name in root_names]

    labels = read_labels(train)
    pose, betas = mean_body(labels)
    vertices = body(torch.zeros(1, 3), pose, betas).vertices
    joints = body.regress_joints(vertices, joint_set)
    offset = root_position(joints, root)
    targets = labels['keypoints3d']
    targets = targets - root_position(targets, root)
    rotation = torch.as_tensor(
        best_orientation(
            (joints - offset)[0].double().numpy(), targets.double().numpy()
        )
    ).to(vertices)
    meshes = {
        'mean-pose predictor': ((vertices - offset) @ rotation.T)[0],
        'mean of all meshes': mean_mesh(body, labels, joint_set, root),
    }

    labels = read_labels(test)
    results = {}
    for name, mesh in meshes.items():
        metric = METRICS.build(mesh_metric(cfg))
        metric.dataset_meta = test.metainfo
        for i in range(len(test)):
            metric.process(
                {},
                [
                    dict(
                        sample_idx=i,
                        joint_set=joint_set,
                        gt={key: value[i] for key, value in labels.items()},
                        pred=dict(vertices=mesh),
                    )
                ],
            )
        results[name] = metric.evaluate(len(test))
    return results


def mesh_metric(cfg: Config) -> dict:
    """The metric of meshes among those of the evaluator."""
    metrics = cfg.test_evaluator
    metrics = metrics if isinstance(metrics, list) else [metrics]
    for metric in metrics:
        kind = metric['type']
        name = getattr(kind, '__name__', str(kind))  # a class, or its name
        if name.rpartition('.')[2] == 'MeshMetric':
            return metric
    raise UsageError(
        'test_evaluator has no mmd2a.MeshMetric, whose errors are compared'
    )


def mean_mesh(
    body: SMPLBodyModel,
    labels: dict[str, torch.Tensor],
    joint_set: str,
    root: list[int],
) -> torch.Tensor:
    """Mean over people of their root-relative meshes (V, 3)."""
    total = torch.zeros(body.num_vertices, 3, dtype=torch.float64)
    for i in range(0, len(labels['betas']), 64):
        vertices = body(
            *(
                labels[key][i : i + 64]
                for key in ('global_orient', 'body_pose', 'betas')
            )
        ).vertices
        joints = body.regress_joints(vertices, joint_set)
        total += (vertices - root_position(joints, root)).sum(0)
    return (total / len(labels['betas'])).float()


def table(
    models: dict[str, dict[str, float]], constant: dict[str, dict[str, float]]
) -> str:
    """Errors of all predictors and what models gain on constants, in %."""
    rows = []
    protocols = {key.split('/')[0] for row in constant.values() for key in row}
    for protocol in sorted(protocols):
        keys = [f'{protocol}/{name}' for name in NAMES]
        measured = {
            title: values
            for title, values in models.items()
            if all(key in values for key in keys)
        }
        rows += [
            f'protocol {protocol}, mm',
            f'{"":34s}' + ''.join(f'{name:>11s}' for name in NAMES),
        ]
        rows += [
            f'{title:34s}' + ''.join(f'{values[key]:11.2f}' for key in keys)
            for title, values in {**constant, **measured}.items()
        ]
        rows += [
            f'{f"{name} - {title}":34s}'
            + ''.join(
                f'{100 * (model[key] / values[key] - 1):+10.1f}%'
                for key in keys
            )
            for name, model in measured.items()
            for title, values in constant.items()
        ]
    return '\n'.join(rows)


def shipped_results(name: str | None) -> dict[str, float]:
    """What the index says of a model on the test people.

    Raises:
        UsageError: there is no such model, or it was not measured there.
    """
    entry = require_shipped_model(name)
    results = entry.results.get('test')
    if results is None:
        raise UsageError(
            f'the index has no results of {entry.address} on test'
        )
    return {key: row['value'] for key, row in results['metrics'].items()}


def read_results(path: str) -> dict[str, float]:
    """Read the metrics of a model, with all that the table shows."""
    check_file(path, 'file of results')
    try:
        results = read_json(path, top=dict)
    except UnusableFileError as error:
        raise UsageError(
            f'{error}. Give what tools/test.py --out wrote'
        ) from error
    # JSON has no NaN: a metric without a value is null.
    results = {k: math.nan if v is None else v for k, v in results.items()}
    # Other metrics of the run have no mesh error to compare.
    mesh = {key.split('/')[0] for key in results if key.endswith('/MPJPE')}
    protocols = mesh or {key.split('/')[0] for key in results}
    missing = [
        f'{protocol}/{name}'
        for protocol in sorted(protocols)
        for name in NAMES
        if f'{protocol}/{name}' not in results
    ]
    if missing or not results:
        raise UsageError(
            f'{path} has no {", ".join(missing) or "metrics"}: '
            'give what tools/test.py --out wrote for D2AHMR'
        )
    return results


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument('results', help='written by tools/test.py --out')
    parser.add_argument(
        '--title', default='model', help='of the row of these results'
    )
    parser.add_argument(
        '--shipped',
        nargs='?',
        const='',
        metavar='NAME',
        help='add a row of this model that ships; of the first one without '
        'NAME',
    )
    add_option_argument(parser)
    add_brief_argument(parser)
    args = parser.parse_args()
    cfg = read_config(args.config, args.cfg_options)
    require_parts(cfg, 'train')
    require_parts(cfg, 'test')
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    models = {args.title: read_results(args.results)}
    if args.shipped is not None:
        models = dict(shipped=shipped_results(args.shipped or None)) | models
    tell(table(models, constant_metrics(cfg, ('left_hip', 'right_hip'))))


if __name__ == '__main__':
    run_tool(main)

"""Draw what a model sees and says, one row per person.

    python tools/analysis/draw_sheet.py CONFIG CHECKPOINT --out sheet.png

People are taken at equal steps through the test set, so the sheet is no
selection. Columns: input, pseudo-depth, predicted mesh on the image, mesh from
the side, decoded silhouette, per-vertex sigma.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

import argparse
import inspect
from collections.abc import Sequence

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope

from mmd2a.cli.brief import add_brief_argument, tell
from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import (
    UsageError,
    add_option_argument,
    check_packages,
    read_config,
    require_parts,
)
from mmd2a.engine.checkpoint_loading import (
    load_every_parameter,
    read_checkpoint,
)
from mmd2a.evaluation import mpjpe
from mmd2a.files import check_image_format
from mmd2a.geometry import root_position
from mmd2a.models.estimators import D2AHMR
from mmd2a.models.estimators.mesh_estimator import MeshEstimator
from mmd2a.registry import DATASETS, MODELS
from mmd2a.structures import BodyDataSample
from mmd2a.visualization import MeshVisualizer, save_image


def parse_args(
    description: str | None = __doc__, out: str = 'sheet.png', num: int = 6
) -> argparse.Namespace:
    """Read the command line of a tool that draws some people of a test set."""
    parser = argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config')
    parser.add_argument(
        'checkpoint', help='file, or name of weights that ship'
    )
    parser.add_argument('--out', default=out)
    parser.add_argument('--num', type=int, default=num, help='people to draw')
    add_option_argument(parser)
    add_brief_argument(parser)
    return parser.parse_args()


def require_d2a_hmr(settings: dict) -> None:
    """Check that a config's model is ``D2AHMR`` or made from it."""
    require_model(settings, D2AHMR)


def require_model(settings: dict, wanted: type[MeshEstimator]) -> None:
    """Check that a config's model is of a class or made from it."""
    kind = settings.get('type', 'not there')
    built = kind if inspect.isclass(kind) else MODELS.get(kind)
    if built is None or not issubclass(built, wanted):
        raise UsageError(
            f'a sheet is of people as {wanted.__name__} sees them; the '
            f'model of the config is {kind}'
        )


def build_model(settings: dict, checkpoint: str) -> MeshEstimator:
    """Build the model of a config, with the weights of a checkpoint."""
    # The sheet shows the silhouette too.
    model = MODELS.build({**settings, 'keep_mask': True}).eval()
    weights = read_checkpoint(checkpoint, 'cpu')
    load_every_parameter(model, weights, checkpoint)
    if torch.cuda.is_available():
        model.to(torch.accelerator.current_accelerator())
    return model


def draw(model: D2AHMR, people: Sequence[dict], path: str) -> None:
    """Draw what a model says of some people.

    Args:
        model: in evaluation mode.
        people: as a data set gives them; with the labels that there are.
        path: the picture is written there.
    """
    batch = pseudo_collate(people)
    images = [
        img.permute(1, 2, 0).numpy()[..., ::-1].copy()
        for img in batch['inputs']['img']
    ]
    depths = batch['inputs'].get('depth')
    with torch.no_grad():
        samples = [sample.cpu() for sample in model.test_step(batch)]
    visualizer = MeshVisualizer()
    visualizer.faces = model.body_model.faces.cpu().numpy()
    captions = [caption(sample, model) for sample in samples]
    save_image(path, visualizer.draw(images, samples, depths, captions))


def caption(sample: BodyDataSample, model: D2AHMR) -> str:
    """Error of one person, of the joints that have a label."""
    joints = sample.gt.keypoints3d
    known = sample.gt.keypoints3d_weight > 0
    if not known[list(model.objective.root_ids)].all():
        return 'no reference'
    root = root_position(joints, model.objective.root_ids)
    error = mpjpe(
        sample.pred.keypoints3d[known][None], (joints - root)[known][None]
    )
    return f'MPJPE {1e3 * error.item():.0f} mm'


def main() -> None:
    args = parse_args()
    check_image_format(args.out)
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_d2a_hmr(cfg.get('model', {}))
    require_parts(cfg, 'test')
    checkpoint = checkpoint_address(args.checkpoint)
    model = build_model(cfg.model, checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    picks = np.linspace(0, len(dataset) - 1, args.num).astype(int)
    draw(model, [dataset[int(i)] for i in picks], args.out)
    tell(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main)

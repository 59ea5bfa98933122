"""Draw people as ImpHMR imagines them from all sides, beside the labels.

    python tools/analysis/draw_views.py CONFIG CHECKPOINT --out views.png

People are taken at equal steps through the test set, so the sheet is no
selection. Each has three rows, seen from every 45 degrees: the imagined mesh,
the silhouettes, and the labelled mesh, turned. In the first column stand the
input, the field's expected depth at 0 degrees and the labels on the input.

Depth goes from half a half-width of the crop before the root, bright, to as
far behind, dark; it is grey where the field is mostly empty. Of silhouettes
grey is what the decoder and the labels agree on, orange what the decoder alone
says, blue what the labels alone say.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.brief import begin_brief
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()
    begin_brief()

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from draw_sheet import build_model, parse_args, require_model
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from numpy.typing import NDArray
from torch import Tensor

from mmd2a.cli.brief import tell
from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import check_packages, read_config, require_parts
from mmd2a.evaluation import mpjpe
from mmd2a.evaluation.overlap import mask_iou
from mmd2a.files import check_image_format
from mmd2a.geometry import resize_intrinsics
from mmd2a.models.estimators import ImpHMR
from mmd2a.models.objectives.silhouettes import draw_silhouettes
from mmd2a.registry import DATASETS
from mmd2a.visualization import (
    crop_overlay,
    depth_to_color,
    draw_sheet,
    mesh_overlay,
    save_image,
)

VIEWS = tuple(range(0, 360, 45))  # degrees
TILE = 160  # pixels
SEEN = 'Input, depth, labels'
LABEL = (0.70, 0.83, 0.66)  # the green of labelled meshes
AGREED, DECODED, LABELLED = (150, 150, 150), (242, 115, 64), (70, 120, 200)
DEPTHS = (-0.5, 0.5)  # half-widths of the crop from the root
# A field that stops less light than this has no depth to show.
_OPAQUE = 0.5
Picture = NDArray[np.uint8]


def draw(model: ImpHMR, people: Sequence[dict], path: str) -> None:
    """Draw what a model imagines of some people.

    Args:
        model: in evaluation mode, with ``views``.
        people: as a data set gives them, with labels.
        path: the picture is written there.
    """
    images = [
        enlarged(person['inputs']['img'].permute(1, 2, 0).numpy()[..., ::-1])
        for person in people
    ]
    with torch.no_grad():
        batch = model.data_preprocessor(pseudo_collate(people))
        output = model(**batch)
        samples = model(**batch, mode='predict')
        targets = model.objective.targets(samples)
        turned = [
            model.objective.turned(targets, yaw)
            for yaw in samples[0].pred.views_yaw.tolist()
        ]
        drawn = [
            draw_silhouettes(each, model.body_model.faces, (TILE, TILE))
            for each in turned
        ]
    faces = model.body_model.faces.cpu().numpy()
    rows, captions = [], []
    for i, (image, sample) in enumerate(zip(images, samples)):
        labels = [
            {key: value[i].cpu() for key, value in each.items()}
            for each in turned
        ]
        masks = [
            mask[i, 0].cpu().bool() if weight[i] > 0 else None
            for mask, weight in drawn
        ]
        pred = sample.cpu().pred
        depth = depth_tile(output['depth'][i, 0], output['opacity'][i, 0])
        rows += [
            {SEEN: image, **imagined_tiles(pred, faces)},
            {SEEN: depth, **silhouette_tiles(pred, masks)},
            labelled_tiles(image, labels, masks, faces),
        ]
        captions += person_captions(pred, labels, masks)
    columns = [SEEN, *map(column, VIEWS)]
    save_image(path, draw_sheet(rows, columns, captions, tile=TILE))


def column(degrees: float) -> str:
    """How the column of a view is headed."""
    return f'{degrees}°'


def imagined_tiles(pred: object, faces: NDArray) -> dict[str, Picture]:
    """The imagined meshes, where the camera of the photograph has them."""
    return {
        column(view): crop_overlay(white(), mesh, faces, pred.camera)
        for view, mesh in zip(VIEWS, pred.views_vertices.numpy())
    }


def silhouette_tiles(
    pred: object, masks: Sequence[Tensor | None]
) -> dict[str, Picture]:
    """Decoded silhouettes over the labelled ones, of those that are known."""
    tiles = {}
    for k, mask in enumerate(masks):
        if mask is None or 'views_mask' not in pred:
            continue
        decoded = decoded_mask(pred.views_mask[k, 0]).numpy()
        tile = white()
        for where, color in (
            (decoded & mask.numpy(), AGREED),
            (decoded & ~mask.numpy(), DECODED),
            (~decoded & mask.numpy(), LABELLED),
        ):
            tile[where] = color
        tiles[column(VIEWS[k])] = tile
    return tiles


def labelled_tiles(
    image: Picture,
    labels: Sequence[dict[str, Tensor]],
    masks: Sequence[Tensor | None],
    faces: NDArray,
) -> dict[str, Picture]:
    """The labelled mesh on the input and turned, where it is known."""
    tiles = {}
    for k, (label, mask) in enumerate(zip(labels, masks)):
        if mask is None:
            continue
        mesh = (label['vertices'] + label['root3d']).numpy()
        size = tuple(label['mask'].shape[-2:])
        K = resize_intrinsics(label['K'], size, (TILE, TILE)).numpy()
        if VIEWS[k] == 0:
            tiles[SEEN] = mesh_overlay(image, mesh, faces, K, LABEL)
        tiles[column(VIEWS[k])] = mesh_overlay(white(), mesh, faces, K, LABEL)
    return tiles


def depth_tile(depth: Tensor, opacity: Tensor) -> Picture:
    """Expected depth (h, w) of a field in colours, a square for each ray."""
    known = torch.where(opacity > _OPAQUE, depth, torch.nan)
    colors = depth_to_color(known.cpu().numpy(), DEPTHS)
    return enlarged(colors, cv2.INTER_NEAREST)


def person_captions(
    pred: object,
    labels: Sequence[dict[str, Tensor]],
    masks: Sequence[Tensor | None],
) -> list[str]:
    """One text for each row: what it shows, and its error over all views."""
    joints = torch.stack([label['keypoints3d'] for label in labels])
    weight = torch.stack([label['keypoints3d_weight'] for label in labels])
    error = 1e3 * mpjpe(pred.views_keypoints3d, joints, weight).nanmean()
    imagined, silhouettes = 'imagined', 'silhouettes'
    if error.isfinite():
        imagined += f': MPJPE {error:.0f} mm'
    known = [k for k, mask in enumerate(masks) if mask is not None]
    if known and 'views_mask' in pred:
        decoded = [decoded_mask(pred.views_mask[k, 0]) for k in known]
        truth = torch.stack([masks[k] for k in known])
        overlap = mask_iou(torch.stack(decoded), truth).nanmean()
        silhouettes += f': IoU {overlap:.2f}'
    return [imagined, silhouettes, 'labels, turned']


def decoded_mask(probability: Tensor) -> Tensor:
    """What a decoder calls person, (TILE, TILE), bool."""
    finer = cv2.resize(probability.numpy(), (TILE, TILE))
    return torch.from_numpy(finer) > 0.5


def enlarged(picture: Picture, method: int = cv2.INTER_CUBIC) -> Picture:
    """A picture at the size of a tile."""
    picture = np.ascontiguousarray(picture)
    return cv2.resize(picture, (TILE, TILE), interpolation=method)


def white() -> Picture:
    """An empty tile."""
    return np.full((TILE, TILE, 3), 255, np.uint8)


def main() -> None:
    args = parse_args(__doc__, out='views.png', num=3)
    check_image_format(args.out)
    cfg = read_config(args.config, args.cfg_options)
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    require_model(cfg.get('model', {}), ImpHMR)
    require_parts(cfg, 'test')
    checkpoint = checkpoint_address(args.checkpoint)
    model = build_model({**cfg.model, 'views': VIEWS}, checkpoint)
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    picks = np.linspace(0, len(dataset) - 1, args.num).astype(int)
    draw(model, [dataset[int(i)] for i in picks], args.out)
    tell(f'wrote {args.out}')


if __name__ == '__main__':
    run_tool(main)

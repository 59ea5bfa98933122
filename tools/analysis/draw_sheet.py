"""Draw what a model sees and says, one row per person.

    python tools/analysis/draw_sheet.py CONFIG CHECKPOINT --out sheet.png

People are taken at equal steps through the test set, so the sheet is no
selection. Columns: input, pseudo-depth, predicted mesh on the image, mesh from
the side, decoded silhouette, per-vertex sigma.
"""
import argparse

import numpy as np
import torch
from mmengine.config import Config, DictAction
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint

from mmd2a.evaluation import mpjpe
from mmd2a.registry import DATASETS, MODELS
from mmd2a.visualization import MeshVisualizer, save_image


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('config')
    parser.add_argument('checkpoint')
    parser.add_argument('--out', default='sheet.png')
    parser.add_argument('--num', type=int, default=6, help='people to draw')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction,
                        default={}, metavar='KEY=VALUE')
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    cfg.model.keep_mask = True
    model = MODELS.build(cfg.model).eval()
    load_checkpoint(model, args.checkpoint, map_location='cpu')
    if torch.cuda.is_available():
        model.to(torch.accelerator.current_accelerator())

    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    picks = np.linspace(0, len(dataset) - 1, args.num).astype(int)
    batch = pseudo_collate([dataset[int(i)] for i in picks])
    images = [img.permute(1, 2, 0).numpy()[..., ::-1].copy()
              for img in batch['inputs']['img']]
    depths = batch['inputs'].get('depth')
    with torch.no_grad():
        samples = [sample.cpu() for sample in model.test_step(batch)]

    captions = []
    for sample in samples:
        root = sample.gt.keypoints3d[model.root_ids].mean(0)
        error = mpjpe(sample.pred.keypoints3d[None],
                      (sample.gt.keypoints3d - root)[None])
        captions.append(f'MPJPE {1e3 * error.item():.0f} mm')
    visualizer = MeshVisualizer()
    visualizer.faces = model.body_model.faces.cpu().numpy()
    save_image(args.out, visualizer.draw(images, samples, depths, captions))
    print(f'wrote {args.out}')


if __name__ == '__main__':
    main()

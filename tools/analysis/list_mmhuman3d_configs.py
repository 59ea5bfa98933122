"""Say of every config of MMHuman3D how far it comes under the bridge.

    python tools/data/make_mmhuman3d_stand_ins.py --out data
    python tools/analysis/list_mmhuman3d_configs.py path/to/mmhuman3d

Run it in the folder that has ``data``. Each config is read, translated, its
model and training data are built, and two people are trained on for one step.
The table, in Markdown, names the first of these that fails, and why. Weights
of backbones are not downloaded.
"""

import argparse
import contextlib
import io
import re
import warnings
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.optim import build_optim_wrapper

import mmd2a  # noqa: F401  (activates the bridge)
from mmd2a.engine.pretrained_init import require_pretrained_weights
from mmd2a.interop.mmhuman3d import is_mmhuman3d_config, translate_config
from mmd2a.registry import DATASETS, FUNCTIONS, MODELS

_LONGEST = 150
# What users are told to do, after what is missing.
_ADVICE = re.compile(r'\.? Configs of MMHuman3D read|: install it')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('checkout', type=Path, help='of MMHuman3D')
    return parser.parse_args()


def without_downloads(value: Any) -> Any:
    """Leave out weights that would be fetched."""
    if isinstance(value, dict):
        return {
            key: None
            if key == 'init_cfg' and '://' in str(child)
            else without_downloads(child)
            for key, child in value.items()
        }
    if isinstance(value, list | tuple):
        return type(value)(without_downloads(child) for child in value)
    return value


def try_config(path: Path) -> tuple[str, str]:
    """How far a config comes, and why not farther."""
    reached = 'not read'
    try:
        cfg = Config.fromfile(path)
        if not is_mmhuman3d_config(cfg):
            return 'no training', 'settings of a function of MMHuman3D'
        reached = 'read'
        cfg = translate_config(
            Config(without_downloads(cfg.to_dict()), filename=cfg.filename)
        )
        reached = 'translated'
        model = MODELS.build(cfg.model)
        model.init_weights()
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        reached = 'model builds'
        loader = cfg.train_dataloader
        dataset = DATASETS.build(loader.dataset)
        collate = FUNCTIONS.get(loader.collate_fn.type)
        batch = collate([dataset[0], dataset[1]])
        reached = 'model and data build'
        losses = model.train().train_step(batch, wrapper)
        if not all(
            torch.as_tensor(x).isfinite().all() for x in losses.values()
        ):
            return reached, f'the loss is {losses["loss"]}'
    except Exception as error:
        text = ' '.join(f'{type(error).__name__}: {error}'.split())
        text = _ADVICE.split(text)[0].replace('|', '/')
        if len(text) > _LONGEST:
            text = f'{text[:_LONGEST]} ...'
        return reached, text
    return '**trains**', ''


def main() -> None:
    """Write the table."""
    root = parse_args().checkout / 'configs'
    warnings.simplefilter('ignore')
    require_pretrained_weights()
    MMLogger.get_instance('mmengine', log_level='ERROR')
    print('| config | comes to | what is missing |\n|---|---|---|')
    for path in sorted(root.rglob('*.py')):
        name = path.relative_to(root)
        if '_base_' in name.parts:
            continue
        torch.manual_seed(0)
        with contextlib.redirect_stdout(io.StringIO()):
            reached, why = try_config(path)
        print(f'| {name} | {reached} | {why} |', flush=True)


if __name__ == '__main__':
    main()

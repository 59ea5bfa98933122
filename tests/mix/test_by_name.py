"""The shipped mixes as ``_base_ = 'mmd2a::mix/...'`` of a user's config."""

from pathlib import Path

import pytest
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.evaluator import Evaluator
from mmengine.registry import MODELS, DefaultScope

import mmd2a  # noqa: F401  (as the tools do, before any other package)
from mmd2a.interop.mmhuman3d import translate_config

ROOT = Path(__file__).resolve().parents[2]
NAMES = sorted(path.stem for path in (ROOT / 'configs' / 'mix').glob('*.py'))


@pytest.mark.parametrize('name', NAMES)
def test_every_part_builds_though_mmengine_marks_it_as_ours(name, tmp_path):
    # The mark says where a name without a prefix is looked up first.
    pytest.importorskip(name.split('_')[0])
    config = tmp_path / 'config.py'
    config.write_text(f"_base_ = 'mmd2a::mix/{name}.py'\n")
    cfg = Config.fromfile(config)
    assert '_scope_' in str(cfg.model)
    if 'data' in cfg:
        translated = translate_config(cfg)
        assert '_scope_' not in str(translated)
        return
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        MODELS.build(cfg.model)
        for loader in (cfg.train_dataloader, cfg.test_dataloader):
            Compose(loader.dataset.pipeline)
        Evaluator(cfg.test_evaluator)

"""Every shipped config is complete: it loads, builds and is listed."""
from pathlib import Path

import pytest
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.registry import METRICS, MODELS, TRANSFORMS

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted(path.name for path in (ROOT / 'configs').glob('*.py'))


def load(name: str) -> Config:
    cfg = Config.fromfile(ROOT / 'configs' / name)
    init_default_scope(cfg.default_scope)
    return cfg


@pytest.mark.parametrize('name', CONFIGS)
def test_config_builds(name):
    cfg = load(name)
    model = MODELS.build(cfg.model)
    assert sum(p.numel() for p in model.parameters()) > 0
    for pipeline in ('train_pipeline', 'test_pipeline'):
        for transform in cfg[pipeline]:
            TRANSFORMS.build(transform)
    METRICS.build(cfg.test_evaluator)


@pytest.mark.parametrize('name', CONFIGS)
def test_config_is_in_the_model_index(name):
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    listed = [model['Config'] for file in index['Import']
              for model in yaml.safe_load((ROOT / file).read_text())['Models']]
    assert f'configs/{name}' in listed


def test_an_unknown_model_key_is_named():
    cfg = load('d2a_hmr_hrnet.py')
    cfg.model['flow_haed'] = None
    with pytest.raises(TypeError, match='flow_haed'):
        MODELS.build(cfg.model)

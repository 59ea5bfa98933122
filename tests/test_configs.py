"""Every shipped config is complete: it loads, builds and is listed."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.cli.tool_config import add_option_argument, read_config
from mmd2a.registry import METRICS, MODELS, TRANSFORMS

ROOT = Path(__file__).resolve().parents[1]
FAMILY = ROOT / 'configs' / 'd2a_hmr'
CONFIGS = sorted(f'd2a_hmr/{path.name}' for path in FAMILY.glob('*.py'))


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
def test_training_starts_without_a_network(name):
    assert 'Pretrained' not in load(name).pretty_text


@pytest.mark.parametrize('name', ['resnet50', 'resnet101'])
def test_imagenet_weights_are_an_option(name):
    """As the config's first comment has it."""
    path = FAMILY / f'd2a_hmr_{name}.py'
    comment = [
        line.strip('# \\')
        for line in path.read_text().splitlines()
        if line.startswith('#')
    ]
    options = ' '.join(comment).split('--cfg-options ')[1].split()
    parser = argparse.ArgumentParser()
    add_option_argument(parser)
    args = parser.parse_args(['--cfg-options', *options])
    cfg = read_config(str(path), args.cfg_options)
    assert cfg.model.backbone.init_cfg == dict(
        type='Pretrained', checkpoint=f'torchvision://{name}'
    )


@pytest.mark.parametrize('name', CONFIGS)
def test_config_is_in_the_model_index(name):
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    listed = [
        model['Config']
        for file in index['Import']
        for model in yaml.safe_load((ROOT / file).read_text())['Models']
    ]
    assert f'configs/{name}' in listed


def test_the_main_config_has_two_places():
    """One at the top for users, one in a folder for ``mmd2a::`` names."""
    assert (
        load('d2a_hmr_hrnet.py').to_dict()
        == load('d2a_hmr/d2a_hmr_hrnet.py').to_dict()
    )


def test_both_config_styles_build_the_same():
    pytest.importorskip('mmpose')
    text = load('d2a_hmr_hrnet.py')
    pure = Config.fromfile(ROOT / 'mmd2a/configs/d2a_hmr/d2a_hmr_hrnet.py')
    assert same_parts(pure.to_dict(), text.to_dict())
    states = []
    for cfg in (text, pure):
        torch.manual_seed(0)
        states.append(MODELS.build(cfg.model).state_dict())
    assert states[0].keys() == states[1].keys()
    assert all(
        torch.equal(value, states[1][name])
        for name, value in states[0].items()
    )


def same_parts(pure: Any, text: Any) -> bool:
    """Whether two configs differ only in how they name their parts."""
    if isinstance(text, dict):
        return pure.keys() == text.keys() and all(
            same_name(pure[key], text[key])
            if key == 'type'
            else same_parts(pure[key], text[key])
            for key in text
        )
    if isinstance(text, (list, tuple)):
        return len(pure) == len(text) and all(map(same_parts, pure, text))
    return pure == text


def same_name(pure: str, text: str) -> bool:
    """``'mmd2a.models.D2AHMR'`` and ``'mmd2a.D2AHMR'`` name one class."""
    package, name = pure.split('.')[0], pure.split('.')[-1]
    if '.' not in text:
        return package in ('mmengine', 'torch') and name == text
    return f'{package}.{name}' == text


def test_an_unknown_model_key_is_named():
    cfg = load('d2a_hmr_hrnet.py')
    cfg.model['flow_haed'] = None
    with pytest.raises(TypeError, match='flow_haed'):
        MODELS.build(cfg.model)

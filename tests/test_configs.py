"""Every shipped config is complete: it loads, builds and is listed."""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope

from mmd2a.cli.tool_config import UsageError, add_option_argument, read_config
from mmd2a.registry import METRICS, MODELS, TRANSFORMS
from mmd2a.weights import find_weights

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = ('d2a_hmr', 'imphmr')
CONFIGS = sorted(
    f'{family}/{path.name}'
    for family in FAMILIES
    for path in (ROOT / 'configs' / family).glob('*.py')
)
OF_DEPTH = [name for name in CONFIGS if name.startswith('d2a_hmr/')]


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
    Evaluator(cfg.test_evaluator)


@pytest.mark.parametrize('name', OF_DEPTH)
def test_training_meets_people_without_depth(name):
    """What is never met in training is not answered well in testing."""
    preprocessor = MODELS.build(load(name).model.data_preprocessor)
    assert 0 < preprocessor.depth_dropout <= 0.2
    assert not preprocessor.ignore_depth


@pytest.mark.parametrize('name', CONFIGS)
def test_training_starts_without_a_network(name):
    """Initial weights that a config names come with the package."""
    named = re.findall("checkpoint='([^']*)'", load(name).pretty_text)
    for address in named:
        assert find_weights(address.removeprefix('mmd2a://'))


def test_every_parameter_of_the_mobilenet_is_trained():
    """No layer of the backbone is built for nothing: DDP would stop."""
    cfg = load('d2a_hmr/d2a_hmr_mobilenet-v2.py').model
    backbone = MODELS.build(dict(cfg.backbone, init_cfg=None))
    localizer = MODELS.build(
        dict(cfg.localizer, in_channels=cfg.patch_embedding.in_channels)
    )
    joints = localizer(backbone(torch.randn(2, 3, 64, 64)))
    sum(part.sum() for part in joints).backward()
    for module in (backbone, localizer):
        assert all(p.grad is not None for p in module.parameters())


@pytest.mark.parametrize(
    'config, name',
    [
        ('d2a_hmr/d2a_hmr_resnet50.py', 'resnet50'),
        ('d2a_hmr/d2a_hmr_resnet101.py', 'resnet101'),
        ('imphmr/imphmr_resnet50.py', 'resnet50'),
    ],
)
def test_imagenet_weights_are_an_option(config, name):
    """As the config's first comment has it."""
    path = ROOT / 'configs' / config
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


def test_the_front_door_is_the_small_model_of_the_family():
    """It has no settings of its own that could differ."""
    door = (ROOT / 'configs' / 'd2a_hmr_hrnet.py').read_text()
    settings = [line for line in door.splitlines() if line[:1] not in '#']
    assert settings == ["_base_ = 'd2a_hmr/d2a_hmr_hrnet.py'"]


def test_there_is_one_tree_of_configs():
    packaged = ROOT / 'mmd2a' / '.mim' / 'configs'
    assert packaged.resolve() == ROOT / 'configs'
    assert not (ROOT / 'mmd2a' / 'configs').exists()


def bodies(value: Any, place: str = '') -> dict[str, Any]:
    """Every body that a config names, by its place."""
    if not isinstance(value, (dict, list, tuple)):
        return {}
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found: dict[str, Any] = {}
    for key, child in items:
        if key == 'body_model':
            found[place] = child
        else:
            found |= bodies(child, f'{place}.{key}')
    return found


@pytest.mark.parametrize('name', CONFIGS)
def test_one_line_changes_the_body_everywhere(name, tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text(
        f"_base_ = '{ROOT}/configs/{name}'\nbody_model = dict(num_betas=8)\n"
    )
    by_line = read_config(str(mine), {})
    by_option = read_config(
        str(ROOT / 'configs' / name), {'body_model.num_betas': 8}
    )
    assert by_line.to_dict() == by_option.to_dict()
    named = bodies(by_line.to_dict())
    assert all(body['num_betas'] == 8 for body in named.values())
    assert {place.split('.')[1] for place in named if place} == {
        'model',
        'test_dataloader',
        'test_evaluator',
        'test_pipeline',
        'train_dataloader',
        'train_pipeline',
        'val_dataloader',
        'val_evaluator',
        'visualizer',
    }


def test_the_body_of_the_config_is_built():
    cfg = read_config(
        str(ROOT / 'configs/d2a_hmr_hrnet.py'), {'body_model.num_betas': 8}
    )
    init_default_scope(cfg.default_scope)
    model = MODELS.build(cfg.model)
    assert model.objective.body_model.num_betas == 8
    assert METRICS.build(cfg.test_evaluator).body_model.num_betas == 8


def test_parts_of_different_bodies_are_refused(tmp_path):
    mine = tmp_path / 'mine.py'
    mine.write_text(
        f"_base_ = '{ROOT}/configs/d2a_hmr_hrnet.py'\n"
        "val_evaluator = dict(body_model=dict(path='SMPL.npz'))\n"
    )
    with pytest.raises(UsageError) as error:
        read_config(str(mine), {})
    message = str(error.value)
    assert 'val_evaluator.body_model' in message and 'SMPL.npz' in message
    assert '\n' not in message


def test_the_best_checkpoint_follows_the_protocols():
    """The config names no metric that other protocols do not have."""
    assert load('d2a_hmr_hrnet.py').default_hooks.checkpoint.save_best == (
        'auto'
    )


def test_an_unknown_model_key_is_named():
    cfg = load('d2a_hmr_hrnet.py')
    cfg.model['flow_haed'] = None
    with pytest.raises(TypeError, match='flow_haed'):
        MODELS.build(cfg.model)

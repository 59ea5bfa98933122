"""Exported weights are the model that was trained, wherever they are named."""

import json
import runpy
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader
from safetensors.torch import load_file

from mmd2a.apis import get_model
from mmd2a.cli.tool_config import UsageError, read_config
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.engine.checkpoint_loading import (
    load_every_parameter,
    read_checkpoint,
)
from mmd2a.files import UnusableFileError
from mmd2a.registry import MODELS
from mmd2a.weights import read_index, read_weights
from mmd2a.weights.writing import to_ship, write_weights

ROOT = Path(__file__).parents[2]
# As the fixture `exported` has them.
CONFIG = 'configs/d2a_hmr/d2a_hmr_hrnet.py'
NAME = 'tiny'
ADDRESS = f'mmd2a://{NAME}'


@pytest.fixture
def trained(shipped):
    """The model with the weights of its training."""
    cfg = read_config(str(ROOT / CONFIG), {'model.encoder.depth': 1})
    model = MODELS.build(cfg.model)
    checkpoint = read_checkpoint(str(shipped.checkpoint), 'cpu')
    load_every_parameter(model, checkpoint)
    return model.eval()


def test_loading_gives_the_model_that_was_saved(trained):
    model = get_model(f'mmd2a::{NAME}')
    assert not model.training
    saved, loaded = trained.state_dict(), model.state_dict()
    assert saved.keys() == loaded.keys()
    for key, value in saved.items():
        assert loaded[key].dtype == value.dtype
        # float16 has 11 bits; what is smaller than 2^-14 has fewer.
        torch.testing.assert_close(
            loaded[key], value, rtol=2**-11, atol=2**-25, msg=key
        )
    torch.manual_seed(0)
    batch = dict(
        img=torch.randn(2, 3, 96, 96),
        depth=torch.rand(2, 2, 96, 96),
        has_depth=torch.ones(2),
    )
    with torch.no_grad():
        expected, found = trained(batch), model(batch)
    torch.testing.assert_close(
        found['vertices'], expected['vertices'], rtol=0, atol=1e-3
    )


def test_the_file_is_small_and_holds_no_body(exported):
    entry = read_index(exported.weights)[NAME]
    state = load_file(exported.weights / entry.file)
    assert entry.size < 2.1 * entry.num_parameters
    assert not [key for key in state if 'body_model' in key]
    assert {v.dtype for v in state.values() if v.ndim > 1} == {torch.float16}


def test_its_papers_are_in_the_index(exported):
    entry = read_index(exported.weights)[NAME]
    assert entry.config == CONFIG.removeprefix('configs/')
    assert entry.cfg_options == {'model.encoder.depth': 1}
    results = json.loads((exported.folder / 'results.json').read_text())
    metrics = entry.results['test']['metrics']
    for name, value in results.items():
        assert abs(metrics[name]['value'] - value) < 0.011
    error = metrics['synthetic_h36m14/MPJPE']
    assert error['low'] < error['value'] < error['high']
    assert error['samples'] == 4


def test_the_test_tool_reproduces_the_row_by_name(exported):
    found, expected = (
        json.loads((exported.folder / name).read_text())
        for name in ('by_name.json', 'results.json')
    )
    for name, value in expected.items():
        # Of float16, measured: 0.02 mm.
        assert found[name] == pytest.approx(value, abs=0.2), name


def test_mmengine_loads_it_by_its_address(shipped):
    checkpoint = CheckpointLoader.load_checkpoint(ADDRESS, 'cpu')
    assert checkpoint['meta']['licence'] == 'Apache-2.0'
    expected = read_weights(ADDRESS)['state_dict']
    assert checkpoint['state_dict'].keys() == expected.keys()


def test_a_part_starts_from_initial_weights(shipped):
    cfg = read_config(str(ROOT / CONFIG), {})
    backbone = cfg.model.backbone
    backbone.init_cfg = dict(
        type='Pretrained', checkpoint=ADDRESS, prefix='backbone.'
    )
    model = MODELS.build(backbone)
    model.init_weights()
    weights = read_weights(ADDRESS)['state_dict']
    for name, value in model.named_parameters():
        assert torch.equal(value, weights[f'backbone.{name}']), name


def test_mmengines_hub_finds_them_through_the_model_index(
    shipped, tmp_path, monkeypatch
):
    """As it will for every row with ``Weights``; only the place is another."""
    from mmengine.hub import get_model as model_of_hub

    shutil.copytree(ROOT / 'configs', tmp_path / '.mim' / 'configs')
    shutil.copy(ROOT / 'model-index.yml', tmp_path / '.mim')
    table = tmp_path / '.mim' / 'configs' / 'metafile.yml'
    row = f'    Config: {CONFIG}\n'
    text = table.read_text()
    assert row in text
    table.write_text(text.replace(row, f'{row}    Weights: {ADDRESS}\n'))
    config = tmp_path / '.mim' / CONFIG
    config.write_text(f'{config.read_text()}\nmodel["encoder"]["depth"] = 1\n')
    monkeypatch.setattr(
        'mmengine.hub.hub.get_installed_path', lambda package: str(tmp_path)
    )
    name = CONFIG.removeprefix('configs/')
    model = model_of_hub(f'mmd2a::{name}', pretrained=True)
    expected = get_model(f'mmd2a::{NAME}').state_dict()
    for key, value in model.state_dict().items():
        assert torch.equal(value, expected[key]), key


def test_every_row_with_weights_and_every_model_belong_together():
    from mmengine import load

    rows = {
        row['Weights'].removeprefix('mmd2a://'): row['Config']
        for row in load(ROOT / 'configs' / 'metafile.yml')['Models']
        if str(row.get('Weights', '')).startswith('mmd2a://')
    }
    models = {
        name: f'configs/{entry.config}'
        for name, entry in read_index().items()
        if not entry.parts
    }
    assert rows == models


@pytest.mark.parametrize('damage', ['flipped', 'short', 'gone'])
def test_a_file_that_is_not_the_one_of_the_index_is_refused(
    exported, tmp_path, monkeypatch, damage
):
    shutil.copytree(exported.weights, tmp_path / 'weights')
    monkeypatch.setenv('MMD2A_WEIGHTS', str(tmp_path / 'weights'))
    path = tmp_path / 'weights' / f'{NAME}.safetensors'
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data if damage == 'flipped' else data[:-8])
    if damage == 'gone':
        path.unlink()
    told = 'there is no' if damage == 'gone' else 'sha256 is'
    with pytest.raises((CheckpointError, OSError)) as error:
        get_model(f'mmd2a::{NAME}')
    assert path.name in str(error.value) and '\n' not in str(error.value)
    if damage != 'gone':
        assert told in str(error.value)


def test_another_config_is_refused_by_the_name_of_what_differs(exported):
    told = exported.refused
    assert told.startswith(f'error: {ADDRESS} is of another model')
    assert 'encoder.' in told
    assert 'd2a_hmr/d2a_hmr_hrnet.py' in told
    assert 'model.encoder.depth=1' in told


def test_initial_weights_hold_their_parts_and_are_no_model(
    exported, monkeypatch
):
    monkeypatch.setenv('MMD2A_WEIGHTS', str(exported.weights))
    state = read_weights('start')['state_dict']
    assert {key.split('.')[0] for key in state} == {
        'backbone',
        'patch_embedding',
    }
    with pytest.raises(CheckpointError, match='are initial weights: they'):
        get_model('mmd2a::start')
    get_model('mmd2a::start', pretrained=False)


@pytest.mark.parametrize(
    'change, told',
    [
        (('licence: Apache-2.0\n', ''), 'licence missing'),
        (('recipe: {command', 'recipe: {comand'), 'no command'),
        (('limits', 'limit'), 'limit is nothing that a card tells'),
        (('- {name', '# {name'), 'training_data missing'),
        ((', licence: Apache-2.0', ''), 'a name and a licence'),
    ],
)
def test_weights_without_their_papers_are_not_written(
    change, told, exported, tmp_path
):
    whole = (exported.folder / 'card.yml').read_text()
    card = whole.replace(*change)
    assert card != whole
    (tmp_path / 'card.yml').write_text(card)
    tool = runpy.run_path(str(ROOT / 'tools/weights/export_weights.py'))
    with pytest.raises((UsageError, UnusableFileError), match=told):
        write_weights(
            tmp_path / 'weights',
            NAME,
            {'a': torch.zeros(1)},
            dict(
                config='x.py', **tool['read_card'](str(tmp_path / 'card.yml'))
            ),
        )
    assert not (tmp_path / 'weights').exists()


def test_a_diverged_model_is_not_shipped(trained):
    name, value = next(iter(trained.named_parameters()))
    with torch.no_grad():
        value.view(-1)[0] = 1e6
    with pytest.raises(CheckpointError, match=f'{name} is not finite as'):
        to_ship(trained, trained)


def test_the_page_of_weights_is_that_of_the_index():
    tool = runpy.run_path(str(ROOT / 'tools/weights/write_model_zoo.py'))
    page = (ROOT / 'docs' / 'model_zoo.md').read_text()
    assert page == tool['page'](read_index()), (
        'run python tools/weights/write_model_zoo.py'
    )


def test_the_page_tells_what_the_index_knows(exported):
    tool = runpy.run_path(str(ROOT / 'tools/weights/write_model_zoo.py'))
    entries = read_index(exported.weights)
    page = tool['page'](entries)
    entry = entries[NAME]
    error = entry.results['test']['metrics']['synthetic_h36m14/MPJPE']
    for text in (
        entry.sha256,
        'SyntheticPeople (Apache-2.0), 8 people',
        f'python tools/test.py {CONFIG} {NAME} --cfg-options '
        'model.encoder.depth=1\n',
        "get_model('mmd2a::tiny')",
        'fails: it has seen eight people',
        f'{error["value"]:g} | {error["low"]:g} to {error["high"]:g} | 4 |',
        'Initial weights: `backbone`, `patch_embedding`.',
    ):
        assert text in page, text

"""Weights that ship are named on the command line like files."""

import pytest
import torch
from mmengine.config import Config

from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.start import start_of_test, start_of_training
from mmd2a.cli.tool_config import UsageError
from mmd2a.weights.writing import write_weights


@pytest.fixture
def named(tmp_path, monkeypatch):
    """Weights ``small`` in a folder of one's own."""
    write_weights(
        tmp_path / 'own',
        'small',
        {'weight': torch.ones(2, 2).half()},
        dict(
            config='d2a_hmr_hrnet.py',
            licence='Apache-2.0',
            training_data=[dict(name='none', licence='CC0-1.0')],
            recipe=dict(command='none', commit='c0ffee'),
        ),
    )
    monkeypatch.setenv('MMD2A_WEIGHTS', str(tmp_path / 'own'))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize('name', ['small', 'mmd2a://small'])
def test_a_name_stands_for_its_weights(named, name):
    assert checkpoint_address(name) == 'mmd2a://small'
    start = start_of_test(name)
    assert (start.checkpoint, start.resume) == ('mmd2a://small', False)


def test_a_file_of_that_name_comes_first(named):
    (named / 'small').write_bytes(b'')
    assert checkpoint_address('small') == 'small'
    assert checkpoint_address('mmd2a://small') == 'mmd2a://small'


@pytest.mark.parametrize('name', ['smaller', 'mmd2a://smaller'])
def test_an_unknown_name_is_told_those_that_there_are(named, name):
    with pytest.raises(UsageError) as error:
        checkpoint_address(name)
    told = str(error.value)
    assert 'mmd2a://smaller; there are' in told and 'small' in told
    assert '\n' not in told


def test_a_path_is_no_name(named):
    for path in ('run/small', 'small.pth'):
        with pytest.raises(
            UsageError, match=f'^there is no checkpoint {path}'
        ):
            checkpoint_address(path)
    assert checkpoint_address('https://a.org/b.pth') == 'https://a.org/b.pth'


def test_there_is_no_training_to_go_on_with(named):
    cfg = Config(dict(work_dir='run'))
    with pytest.raises(UsageError, match='load_from=mmd2a://small'):
        start_of_training(cfg, 'small')

"""An entry that hides where weights come from is refused."""

import json

import pytest

from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.files import UnusableFileError
from mmd2a.weights import WeightsEntry, find_weights, read_index
from mmd2a.weights.index import index_content, index_path

PAPERS = dict(
    sha256='0' * 64,
    size=10,
    num_parameters=3,
    config='d2a_hmr/d2a_hmr_hrnet.py',
    licence='Apache-2.0',
    training_data=[dict(name='SyntheticPeople', licence='Apache-2.0')],
    recipe=dict(command='python tools/train.py', commit='c0ffee'),
)


def write(folder, **changes):
    entry = WeightsEntry(name='small', **{**PAPERS, **changes})
    index_path(folder).write_text(json.dumps(index_content({'small': entry})))


def test_what_is_written_is_read(tmp_path):
    write(tmp_path, parts=['backbone'], limits=['dancers'])
    entry = read_index(tmp_path)['small']
    assert entry == WeightsEntry(
        name='small', **PAPERS, parts=['backbone'], limits=['dancers']
    )
    assert entry.address == 'mmd2a://small'


@pytest.mark.parametrize(
    'changes, told',
    [
        (dict(licence=' '), 'no licence'),
        (dict(training_data=[]), 'no training_data'),
        (dict(training_data=[dict(name='COCO')]), 'a name and a licence'),
        (dict(recipe=dict(command='x')), 'no commit'),
        (dict(recipe={}), 'no command'),
        (dict(sha256='abc'), '64 hexadecimal'),
        (dict(size='10'), 'size must be a int'),
        (dict(name='../up'), 'names are of'),
    ],
)
def test_an_entry_without_its_papers_is_refused(changes, told):
    with pytest.raises(UnusableFileError, match=told) as error:
        WeightsEntry(**{'name': 'small', **PAPERS, **changes})
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    'content',
    [
        '{"format": 2, "weights": {}}',
        '{"format": 1, "weights": []}',
        '{"format": 1, "weights": {"a": []}}',
        '{"format": 1, "weights": {"a": {"sha": "0"}}}',
        '[',
    ],
)
def test_a_broken_index_is_named(tmp_path, content):
    index_path(tmp_path).write_text(content)
    with pytest.raises(UnusableFileError, match=r'index\.json'):
        read_index(tmp_path)


def test_an_unknown_name_lists_those_that_there_are(tmp_path, monkeypatch):
    write(tmp_path)
    monkeypatch.setenv('MMD2A_WEIGHTS', str(tmp_path))
    with pytest.raises(CheckpointError) as error:
        find_weights('mmd2a://smaller')
    assert 'no weights mmd2a://smaller; there are' in str(error.value)
    assert 'small' in str(error.value) and '\n' not in str(error.value)


def test_weights_of_this_package_have_their_files():
    for name in read_index():
        entry, path = find_weights(name)
        assert path.stat().st_size == entry.size

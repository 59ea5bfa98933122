"""Configs that are data run nothing, and broken ones are told in one line."""

import os

import pytest

from mmd2a.cli.config_files import read_config_file
from mmd2a.cli.tool_config import UsageError, read_config
from mmd2a.files import UnusableFileError


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def write(name, text):
    with open(name, 'w') as file:
        file.write(text)
    return name


def test_yaml_and_json_bases_are_read():
    write('base.yml', 'a: 1\nb: {c: [2, 3]}\n')
    write('middle.json', '{"_base_": "base.yml", "d": null}')
    write('top.py', "_base_ = 'middle.json'\nb = dict(c=4)\n")
    cfg = read_config_file('top.py')
    assert cfg.to_dict() == dict(a=1, b=dict(c=4), d=None)


@pytest.mark.parametrize('entry', ['config.yml', 'top.yaml', 'top.py'])
def test_a_tag_in_yaml_runs_nothing(entry):
    write('config.yml', 'a: !!python/object/apply:os.mkdir [ran]\n')
    write('top.yaml', '_base_: config.yml\n')
    write('top.py', "_base_ = ['top.yaml']\n")
    with pytest.raises(
        UsageError, match=r'tags.*config\.yml|config\.yml.*tags'
    ):
        read_config(entry, {})
    assert not os.path.exists('ran')


def test_references_do_not_unfold():
    lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for old, new in zip('abcdefgh', 'bcdefghi'):
        lines.append(f'{new}: &{new} [{", ".join([f"*{old}"] * 9)}]')
    write('laughs.yml', '\n'.join(lines))
    with pytest.raises(UsageError, match=r'references.*laughs|laughs.*refer'):
        read_config('laughs.yml', {})


def test_bases_in_a_circle_are_named():
    write('a.py', "_base_ = 'b.json'\n")
    write('b.json', '{"_base_": ["a.py"]}')
    with pytest.raises(UsageError, match=r'among its own bases.*a\.py'):
        read_config('a.py', {})


@pytest.mark.parametrize(
    'name, text, message',
    [
        ('c.py', 'a = 1\nb = c\n', "line 2: NameError: name 'c'"),
        ('c.py', 'a = dict(\n', 'no Python'),
        ('c.py', '_base_ = 3\n', 'must name files, not 3'),
        ('c.py', 'raise RuntimeError("no\\ndata")\n', 'RuntimeError: no data'),
        ('c.json', '[1]', 'settings by their names, not list'),
        ('c.yml', '2: 3\n', 'has 2 where a name must be'),
        ('c.txt', 'a = 1', r'\.py, \.yml'),
        ('c.yml', '_base_: gone.yml\n', 'cannot be read.*gone.yml'),
    ],
)
def test_a_broken_config_is_one_line(name, text, message):
    write(name, text)
    with pytest.raises(UnusableFileError, match=message) as error:
        read_config_file(name)
    assert '\n' not in str(error.value)

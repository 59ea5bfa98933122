"""What was importable is, or the error says where it is now."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from mmd2a.moved import MOVED

SNAPSHOT = Path(__file__).with_name('public_api.json')
MODULES = json.loads(SNAPSHOT.read_text())['modules']
# Modules, and names that packages give away, of the last release.
OLD = {*MODULES} | {
    f'{module}.{name}' for module in MODULES for name in MODULES[module]
}


def find(name: str) -> None:
    """Import as ``from package import name`` does."""
    package, _, attribute = name.rpartition('.')
    exec(f'from {package} import {attribute}', {})


def test_a_name_is_where_it_was_or_its_error_tells_where_it_is():
    lost = []
    for name in sorted(OLD):
        try:
            find(name)
        except ImportError as error:
            if ' has moved ' not in str(error):
                lost.append(name)
    assert not lost


@pytest.mark.parametrize(('old', 'new'), MOVED.items())
def test_the_place_an_error_names_exists(old, new):
    assert old in OLD
    with pytest.raises(ImportError) as error:
        find(old)
    assert str(error.value).startswith(f'{old} has moved')
    assert new in str(error.value) and '\n' not in str(error.value)
    if new.startswith('mmd2a.'):
        find(new)


def test_an_unknown_module_is_unknown_as_ever():
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module('mmd2a.no_such_module')


def test_a_moved_script_tells_it_on_the_command_line():
    done = subprocess.run(
        [sys.executable, '-m', 'mmd2a.collect_env'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert 'mmd2a.collect_env has moved to mmd2a.cli.doctor' in done.stderr
    assert 'Traceback' not in done.stderr

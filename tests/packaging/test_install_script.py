"""tools/install.sh refuses what cannot work, and its lists fit together."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def install(folder, *arguments, script=ROOT / 'tools/install.sh', **settings):
    environment = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith('MMD2A_')
    }
    return subprocess.run(
        ['bash', str(script), *arguments],
        text=True,
        capture_output=True,
        env={**environment, 'MMD2A_VENV': str(folder), **settings},
    )


def listed(name):
    """Distributions that a requirement file names."""
    lines = (ROOT / 'requirements' / name).read_text().splitlines()
    return {
        re.split('[<>=]', line)[0]
        for line in lines
        if line and line[0] not in '#-'
    }


@pytest.mark.parametrize(
    'arguments, settings, told',
    [
        (['everything'], {}, 'unknown set'),
        (['bare'], {'MMD2A_FORKS': 'another'}, 'unknown MMD2A_FORKS'),
    ],
)
def test_a_mistyped_choice_is_named(arguments, settings, told, tmp_path):
    done = install(tmp_path / 'env', *arguments, **settings)
    assert done.returncode == 2 and told in done.stderr
    assert not (tmp_path / 'env').exists()


def test_what_is_no_python_is_named(tmp_path):
    broken = tmp_path / 'python3.11'
    broken.write_text('#!/bin/sh\nexit 127\n')
    broken.chmod(0o755)
    for python in (broken, tmp_path / 'nowhere'):
        done = install(tmp_path / 'env', 'bare', PYTHON=str(python))
        assert done.returncode == 1 and done.stderr.count('\n') == 1
        assert f'{python} does not run' in done.stderr
    old = tmp_path / 'old'
    old.write_text(
        '#!/bin/sh\n'
        '[ "$1" = --version ] && echo Python 3.8.1 && exit\n'
        'exit 1\n'
    )
    old.chmod(0o755)
    done = install(tmp_path / 'env', 'bare', PYTHON=str(old))
    assert 'Python 3.8.1 found' in done.stderr and done.returncode == 1


def test_forks_never_overwrite_an_upstream_environment(tmp_path):
    (tmp_path / '.mmd2a-forks').touch()
    done = install(tmp_path, 'bare', MMD2A_FORKS='onedl')
    assert done.returncode == 2 and 'MMD2A_VENV' in done.stderr


def test_in_an_installed_package_there_is_nothing_to_set_up(tmp_path):
    script = tmp_path / '.mim' / 'tools' / 'install.sh'
    script.parent.mkdir(parents=True)
    script.write_bytes((ROOT / 'tools/install.sh').read_bytes())
    done = install(tmp_path / 'env', script=script)
    assert done.returncode == 2 and 'no checkout' in done.stderr


def test_every_package_installed_without_dependencies_has_a_version():
    """pip would take the newest, and nothing would hold it back."""
    pinned = listed('constraints.txt')
    ecosystem = {'mmengine', 'mmcv-lite', 'torch'}
    for name in ('runtime_no_deps.txt', 'full_no_deps.txt'):
        ecosystem |= listed(name)
    assert ecosystem <= pinned


def test_no_package_is_listed_in_two_sets():
    names = [
        name
        for file in (ROOT / 'requirements').glob('*.txt')
        if file.name != 'constraints.txt'
        for name in listed(file.name)
    ]
    assert len(names) == len(set(names))

"""A missing or wrong required module is named, with the cure."""

import configparser
from importlib import metadata

import pytest

from mmd2a import requirements


@pytest.fixture
def installed(monkeypatch):
    """``installed(mmcv='1.7.2')``: what the metadata say, besides nothing."""

    def pretend(**versions):
        def version(name):
            if name in versions:
                return versions[name]
            raise metadata.PackageNotFoundError(name)

        monkeypatch.setattr(requirements.metadata, 'version', version)

    return pretend


@pytest.mark.parametrize('module', list(requirements.REQUIRED))
def test_a_missing_module_is_named_with_the_command(module, monkeypatch):
    find_spec = requirements.find_spec
    monkeypatch.setattr(
        requirements,
        'find_spec',
        lambda name: None if name == module else find_spec(name),
    )
    with pytest.raises(ImportError, match=f'needs {module}.*pip install'):
        requirements.check_requirements()


@pytest.mark.parametrize(
    'versions, told',
    [
        ({'mmcv-full': '1.7.2'}, 'mmcv 2.0.0 or newer, found mmcv-full 1.7.2'),
        ({'mmcv-lite': '2.1.0', 'mmcv': '1.6.1'}, 'found mmcv 1.6.1'),
        ({'torch': '1.12.1+cu113'}, 'torch 2.6 or newer, found torch 1.12.1'),
        (
            {'mmengine': '0.9.1'},
            'mmengine 0.10.3 or newer, found mmengine 0.9.1',
        ),
        ({'numpy': '1.23.5'}, 'numpy 1.26 or newer, found numpy 1.23.5'),
    ],
)
def test_an_old_version_is_refused_by_name(versions, told, installed):
    installed(**versions)
    with pytest.raises(ImportError, match=told):
        requirements.check_requirements()


@pytest.mark.parametrize(
    'versions',
    [
        {'torch': '2.13.0+cpu', 'mmengine': '0.10.7', 'mmcv-lite': '2.1.0'},
        {'torch': '2.6', 'onedl-mmengine': '0.10.12', 'onedl-mmcv': '2.3.6'},
        {
            'torch': '3.0.0.dev20270101',
            'mmengine': '0.11.0rc0',
            'mmcv': '2.2.0',
        },
        {},  # a source tree on the path has no metadata
    ],
)
def test_versions_that_fit_are_accepted(versions, installed):
    installed(**versions)
    requirements.check_requirements()


def test_what_is_declared_is_what_is_checked(pytestconfig):
    declared = configparser.ConfigParser()
    declared.read(pytestconfig.rootpath / 'setup.cfg')
    lines = declared['options']['install_requires'].split()
    floors = {
        module: requirement.at_least
        for module, requirement in requirements.REQUIRED.items()
        if requirement.at_least != '0' and module != 'mmcv'
    }
    assert dict(line.split('>=') for line in lines if '>=' in line) == floors


def test_what_is_checked_is_what_is_installed(pytestconfig):
    """The package declares, checks and installs the same things."""
    root = pytestconfig.rootpath
    text = (root / 'requirements/bare.txt').read_text()
    listed = {line for line in text.splitlines() if line[0] != '#'}
    names = {
        name
        for module, requirement in requirements.REQUIRED.items()
        for name in requirement.distributions or (module,)
    }
    assert listed - names == {'tensorboard'}
    assert set(requirements.REQUIRED) - listed == {'cv2', 'mmcv'}

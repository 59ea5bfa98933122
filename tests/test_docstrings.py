"""Everything public is documented and its examples run."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import mmd2a

MODULES = [
    module.name for module in pkgutil.walk_packages(mmd2a.__path__, 'mmd2a.')
]


@pytest.mark.parametrize('name', MODULES)
def test_examples_run(name, monkeypatch, pytestconfig):
    monkeypatch.chdir(pytestconfig.rootpath)
    module = importlib.import_module(name)
    # Doctests use torch without importing it.
    result = doctest.testmod(
        module,
        extraglobs={'torch': importlib.import_module('torch')},
        optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS,
    )
    assert result.failed == 0


@pytest.mark.parametrize('name', MODULES)
def test_public_names_are_documented(name):
    module = importlib.import_module(name)
    public = [
        value
        for key, value in vars(module).items()
        if not key.startswith('_')
        and getattr(value, '__module__', None) == name
        and (inspect.isclass(value) or inspect.isfunction(value))
    ]
    missing = [value.__name__ for value in public if not value.__doc__]
    missing += [
        f'{value.__name__}.{key}'
        for value in public
        if inspect.isclass(value)
        for key, member in vars(value).items()
        if not key.startswith('_')
        and inspect.isfunction(member)
        and not inspect.getdoc(getattr(value, key))
    ]
    assert module.__doc__ and not missing

"""A missing or wrong required module is named, with the cure."""
from importlib import metadata

import pytest

from mmd2a import requirements


@pytest.mark.parametrize('module', list(requirements.REQUIRED))
def test_a_missing_module_is_named_with_the_command(module, monkeypatch):
    find_spec = requirements.find_spec
    monkeypatch.setattr(requirements, 'find_spec', lambda name:
                        None if name == module else find_spec(name))
    with pytest.raises(ImportError, match=f'needs {module}.*pip install'):
        requirements.check_requirements()


def test_mmcv_1_is_refused(monkeypatch):
    def version(name):
        if name == 'mmcv-full':
            return '1.7.2'
        raise metadata.PackageNotFoundError(name)
    monkeypatch.setattr(requirements.metadata, 'version', version)
    with pytest.raises(ImportError, match='mmcv 2.x, found 1.7.2'):
        requirements.check_requirements()

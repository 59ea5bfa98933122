"""What modules of MMHuman3D get when they import."""

import sys

import numpy as np
import pytest

from mmd2a.interop.mmhuman3d.importing import absent_libraries
from mmd2a.interop.mmhuman3d.importing.scoped_import import scoped_import

VIEW = 'mmd2a.interop.mmhuman3d.importing.mmcv1'


def test_a_module_of_the_view_goes_before_the_one_of_mmcv_2():
    assert scoped_import('mmcv.utils', fromlist=['x']).__name__ == (
        f'{VIEW}.utils'
    )
    assert scoped_import('mmcv.runner.base_module').__name__ == VIEW


def test_what_the_view_lacks_is_mmcv_2s_own():
    import mmcv.image

    assert scoped_import('mmcv.image', fromlist=['imread']) is mmcv.image
    assert scoped_import('mmcv').image is mmcv.image
    assert scoped_import('mmcv').imread is mmcv.imread
    # `import mmcv.image` binds `mmcv`, which has to be the view.
    assert scoped_import('mmcv.image').__name__ == VIEW


def test_a_submodule_can_be_imported_from_its_package():
    module = scoped_import('mmcv.runner', fromlist=['base_module'])
    assert module.base_module.BaseModule


def test_what_neither_has_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match=r'mmcv\.nothing'):
        scoped_import('mmcv.nothing')
    with pytest.raises(AttributeError, match='view of mmcv 1.x'):
        _ = scoped_import('mmcv').nothing


def test_other_imports_are_pythons():
    import os.path

    assert scoped_import('os.path') is os
    assert scoped_import('os', fromlist=['path']).path is os.path


def test_a_library_that_is_installed_is_used(monkeypatch, tmp_path):
    (tmp_path / 'pytorch3d').mkdir()
    (tmp_path / 'pytorch3d/__init__.py').write_text('real = True\n')
    monkeypatch.syspath_prepend(tmp_path)
    absent_libraries.is_absent.cache_clear()
    try:
        assert scoped_import('pytorch3d').real
    finally:
        sys.modules.pop('pytorch3d', None)
        absent_libraries.is_absent.cache_clear()


@pytest.mark.skipif(
    not absent_libraries.is_absent('pytorch3d'),
    reason='pytorch3d is installed',
)
def test_an_absent_library_says_what_to_install_when_it_is_used():
    io = scoped_import('pytorch3d.unknown_part', fromlist=['Thing'])

    class Derived(io.Thing):
        pass

    assert not isinstance(1, io.Thing)
    with pytest.raises(ImportError, match=r'pytorch3d\.unknown_part\.Thing'):
        io.Thing()
    with pytest.raises(ImportError, match=r'by .*Derived, but pytorch3d'):
        Derived()


def test_only_modules_in_need_of_it_get_the_old_numpy():
    needy = 'mmhuman3d.data.datasets.pipelines.transforms'
    old = scoped_import('numpy', {'__name__': needy})
    assert old.array([1.7]).astype(old.int).tolist() == [1]
    assert old.float32 is np.float32
    other = scoped_import('numpy', {'__name__': 'mmhuman3d.utils'})
    assert not hasattr(other, 'int') and other.ndarray is np.ndarray
    assert not hasattr(np, 'int')

"""MMHuman3D imports under mmcv 2, and nobody else notices."""

import subprocess
import sys
import textwrap

import pytest

from mmd2a.interop.mmhuman3d import describe, extend_to
from mmd2a.interop.mmhuman3d.importing import finder

pytest.importorskip('mmhuman3d')


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', textwrap.dedent(code)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def fresh(monkeypatch, tmp_path):
    """A folder for packages, and a finder that forgets them afterwards."""
    bridge = next(
        each for each in sys.meta_path if isinstance(each, finder.BridgeFinder)
    )
    monkeypatch.setattr(bridge, 'packages', set(bridge.packages))
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name, module in [*sys.modules.items()]:
        # Not by name: one test writes a package `mmhuman3d`.
        if (getattr(module, '__file__', None) or '').startswith(str(tmp_path)):
            del sys.modules[name]


def write(folder, name, code):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(textwrap.dedent(code))


def test_all_of_it_imports_and_leaves_nothing_elsewhere():
    # Two modules need a CUDA extension that no wheel has.
    out = run("""
        import importlib, pkgutil, sys
        import mmd2a, mmcv, mmengine, numpy

        def import_all(package):
            failed = []
            for module in pkgutil.walk_packages(package.__path__,
                                                package.__name__ + '.'):
                if not module.name.endswith('__main__'):
                    try:
                        importlib.import_module(module.name)
                    except ImportError:
                        failed.append(module.name)
            return failed

        import_all(mmcv), import_all(mmengine)
        from mmd2a.interop.mmhuman3d.importing.package_changes import (
            changes, snapshot)
        before, names = snapshot(), set(sys.modules)
        import mmhuman3d
        failed = import_all(mmhuman3d)
        assert all('.mpr_renderer.' in name for name in failed), failed
        assert len(failed) <= 2
        assert mmcv.__version__ != '1.6.1'
        assert not changes(before), changes(before)
        new = {name.partition('.')[0] for name in set(sys.modules) - names}
        stood_in = {'pickle5', 'pytorch3d', 'cdflib', 'vedo', 'colormap',
                    'plyfile', 'mmcv', 'mmengine'}
        for name in new & stood_in:
            assert sys.modules[name].__spec__.origin, name
        from mmd2a.interop import status
        print(status()['mmhuman3d'])
    """)
    assert 'active: mmhuman3d 0' in out


def test_a_first_attempt_without_this_package_does_no_harm():
    out = run("""
        try:
            import mmhuman3d
        except AssertionError:
            import mmd2a
            import mmhuman3d
        print(mmhuman3d.__version__)
    """)
    assert out


def test_nothing_is_imported_before_it_is_needed():
    out = run("""
        import mmd2a, sys
        from mmd2a.interop import mmhuman3d
        text = mmhuman3d.describe()
        print(text.split(':')[0],
              {'torch', 'mmcv', 'mmhuman3d'} & set(sys.modules))
    """)
    assert out == 'waiting set()\n'


def test_too_late_is_said_when_something_is_looked_up(fresh):
    write(fresh, 'mmhuman3d/__init__.py', '')
    out = run(f"""
        import sys
        sys.path.insert(0, {str(fresh)!r})
        import mmhuman3d
        import mmd2a
        from mmd2a.interop import status
        print(status()['mmhuman3d'])
        from mmengine.registry import MODELS
        try:
            MODELS.build(dict(type='mmhuman3d.ResNet', depth=18))
        except RuntimeError as error:
            print(error)
    """)
    assert 'inert: mmhuman3d was imported before mmd2a' in out
    assert 'Put `import mmd2a` before the first import' in out


def test_it_is_inert_where_mmcv_is_old(monkeypatch):
    finder._is_needed.cache_clear()
    monkeypatch.setattr(finder, 'mmcv_version', lambda: '1.6.1')
    try:
        assert finder.BridgeFinder().find_spec('mmhuman3d') is None
        assert describe() == (
            'inert: mmcv 1.6.1 is what mmhuman3d was made for'
        )
    finally:
        finder._is_needed.cache_clear()


def test_it_says_when_there_is_nothing_to_bridge(monkeypatch):
    monkeypatch.setitem(sys.modules, 'mmhuman3d', None)
    assert describe() == 'mmhuman3d is not installed'


def test_what_is_not_installed_is_still_not_found():
    with pytest.raises(ModuleNotFoundError, match=r'mmhuman3d\.nothing'):
        import mmhuman3d.nothing  # noqa: F401


def test_sources_are_found_through_the_loader():
    import inspect

    from mmhuman3d.models.heads import hmr_head

    assert 'class HMRHead' in inspect.getsource(hmr_head.HMRHead)
    assert hmr_head.__loader__.get_filename() == hmr_head.__file__


def test_an_old_package_of_ones_own_sees_the_same(fresh):
    write(
        fresh,
        'old_project/__init__.py',
        """
        import mmcv
        import mmcv.runner
        from mmcv import Config, ProgressBar, imread, runner
        from mmcv.cnn.bricks import ConvModule
        from mmcv.utils import Registry
        PARTS = Registry('parts')

        def version_inside_function():
            import mmcv
            return mmcv.__version__
    """,
    )
    write(fresh, 'new_project.py', 'import mmcv\n')
    extend_to('old_project')
    import new_project
    import old_project

    assert old_project.mmcv.__version__ == '1.6.1'
    assert old_project.version_inside_function() == '1.6.1'
    assert old_project.PARTS.scope == 'old_project'
    assert old_project.runner.EpochBasedRunner
    assert new_project.mmcv.__version__.startswith('2.')
    assert not hasattr(new_project.mmcv, 'runner')
    assert 'old_project' in describe().partition('extended to')[2]


def test_an_import_extends_the_bridge(fresh):
    write(
        fresh,
        'older_project/part.py',
        'from mmcv.runner.hooks.lr_updater import LrUpdaterHook\n'
        'class Part: pass\n',
    )
    write(fresh, 'older_project/__init__.py', 'import mmcv\n')
    import mmd2a.interop.mmhuman3d.extended_to.older_project.part  # noqa: F401

    assert sys.modules['older_project.part'].LrUpdaterHook
    with pytest.raises(ModuleNotFoundError, match=r'older_project\.nothing'):
        import mmd2a.interop.mmhuman3d.extended_to.older_project.nothing  # noqa: F401


def test_extending_too_late_is_an_error(fresh):
    write(fresh, 'imported_project.py', '')
    import imported_project  # noqa: F401

    with pytest.raises(RuntimeError, match='was imported before'):
        extend_to('imported_project')
    with pytest.raises(ValueError, match='top-level'):
        extend_to('project.part')

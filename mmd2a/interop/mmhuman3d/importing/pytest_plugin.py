"""Run tests written for mmcv 1.x: ``pytest -p PLUGIN`` in their checkout.

``PLUGIN`` is the name of this module. Every test module sees the view of
mmcv 1.x that MMHuman3D sees; pytest and its plugins do not. At the end the
run fails if the tests left anything in mmcv 2 or MMEngine.
"""

from pathlib import Path

import pytest

from mmd2a.interop import status
from mmd2a.interop.mmhuman3d.importing.finder import extend_to
from mmd2a.interop.mmhuman3d.importing.package_changes import (
    Snapshot,
    changes,
    snapshot,
)

_BEFORE = pytest.StashKey[Snapshot]()
_CHANGES = pytest.StashKey[list[str]]()


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """Extend the bridge to a test module just before it is imported."""
    top = module_path
    while (top.parent / '__init__.py').exists():
        top = top.parent
    extend_to(top.stem)


def pytest_report_header() -> str:
    """Say what the tests run with."""
    return f'mmhuman3d: {status()["mmhuman3d"]}'


def pytest_sessionstart(session: pytest.Session) -> None:
    """Note what mmcv and MMEngine have."""
    import mmcv  # noqa: F401
    import mmengine.runner  # noqa: F401

    session.config.stash[_BEFORE] = snapshot()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Compare with what they have now."""
    found = changes(session.config.stash[_BEFORE])
    session.config.stash[_CHANGES] = found
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what the tests changed there."""
    found = config.stash.get(_CHANGES, [])
    terminalreporter.write_sep('-', 'what the tests changed')
    terminalreporter.write_line(
        'mmcv, mmengine, numpy: ' + ('; '.join(found) or 'unchanged')
    )

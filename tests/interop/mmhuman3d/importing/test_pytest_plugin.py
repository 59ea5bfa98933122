"""Tests written for mmcv 1.x run, and are told when they leave traces."""

import subprocess
import sys

import pytest

pytest.importorskip('mmhuman3d')

TESTS = """
import mmcv
import mmengine
from mmcv.runner import EpochBasedRunner, build_optimizer
from mmhuman3d.utils.path_utils import check_path_suffix


def test_view():
    assert mmcv.__version__ == '1.6.1'
    assert check_path_suffix('people.npz', ['.npz'])


def test_failing():
    assert [1, 2] == [1, 3]


def test_trace():
    mmengine.trace = 1
"""


def test_a_suite_runs_and_its_traces_are_reported(tmp_path):
    (tmp_path / 'test_old.py').write_text(TESTS)

    def run(choice):
        return subprocess.run(
            [
                sys.executable,
                '-m',
                'pytest',
                '-p',
                'no:cacheprovider',
                '-p',
                'mmd2a.interop.mmhuman3d.importing.pytest_plugin',
                '-k',
                choice,
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    clean = run('view')
    assert clean.returncode == 0, clean.stdout
    assert 'numpy: unchanged' in clean.stdout
    traces = run('failing or trace')
    assert traces.returncode == 1
    assert '1 failed, 1 passed' in traces.stdout
    # Assertions are explained as in any test.
    assert 'At index 1 diff: 2 != 3' in traces.stdout
    assert 'mmengine.trace appeared' in traces.stdout

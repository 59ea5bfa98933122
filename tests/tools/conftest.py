"""Run a tool as a user does, on the toy training."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / 'tests' / 'toy_project'


@pytest.fixture
def environment():
    """One thread, this interpreter, the toy project importable."""
    return {
        **os.environ,
        'PYTHON': sys.executable,
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': f'{ROOT}{os.pathsep}{PROJECT}',
        'CUDA_VISIBLE_DEVICES': '',
    }


@pytest.fixture
def run_tool(tmp_path, environment):
    """``run_tool('train.py', *arguments) -> CompletedProcess``."""

    def run(tool, *arguments, ok=True):
        start = ['bash'] if tool.endswith('.sh') else [sys.executable]
        done = subprocess.run(
            [*start, str(ROOT / 'tools' / tool), *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def toy_config():
    return PROJECT / 'toy_config.py'

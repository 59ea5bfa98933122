"""Build this package and install it into environments of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# What a checkout holds, without what grows in it.
CONTENT = (
    'mmd2a',
    'configs',
    'tools',
    'docs',
    'requirements',
    'tests',
    'CHANGELOG.md',
    'LICENSE',
    'MANIFEST.in',
    'NOTICE',
    'README.md',
    'model-index.yml',
    'pyproject.toml',
    'setup.cfg',
)
OFFLINE = {
    **os.environ,
    'PIP_NO_INDEX': '1',
    'OMP_NUM_THREADS': '1',
    'PIP_DISABLE_PIP_VERSION_CHECK': '1',
}
OFFLINE.pop('PYTHONPATH', None)


def run(*command, cwd, ok=True):
    """Run a command without network; its output."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        text=True,
        env=OFFLINE,
        capture_output=True,
        timeout=300,
    )
    output = done.stdout + done.stderr
    assert (done.returncode == 0) == ok, output[-3000:]
    return output


def build(kind, source, folder):
    """Build a 'wheel', 'sdist' or 'editable' wheel as pip does: its path."""
    run(
        sys.executable,
        '-c',
        'import sys; from setuptools import build_meta;'
        f'build_meta.build_{kind}(sys.argv[1])',
        folder,
        cwd=source,
    )
    [built] = [path for path in folder.iterdir() if path.is_file()]
    return built


@pytest.fixture(scope='session')
def checkout(tmp_path_factory):
    """A copy of this checkout that may be built in."""
    folder = tmp_path_factory.mktemp('source') / 'checkout'
    folder.mkdir()
    for name in CONTENT:
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name,
                folder / name,
                symlinks=True,
                ignore=shutil.ignore_patterns('__pycache__'),
            )
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope='session')
def built(checkout, tmp_path_factory):
    """``built(kind, source=checkout)``: what pip builds from a source."""
    return lambda kind, source=checkout: build(
        kind, source, tmp_path_factory.mktemp(kind)
    )


@pytest.fixture(scope='session')
def wheel(built):
    """The wheel of this package."""
    return built('wheel')


@pytest.fixture(scope='session')
def install(tmp_path_factory):
    """``install(wheel)``: the interpreter of a new environment with it.

    Everything but this package comes from the environment of the tests.
    """

    def make(wheel):
        env = tmp_path_factory.mktemp('environment')
        run(sys.executable, '-m', 'venv', '--without-pip', env, cwd=env)
        python = env / 'bin' / 'python'
        run(
            sys.executable,
            '-m',
            'pip',
            '--python',
            python,
            'install',
            '--quiet',
            '--no-deps',
            wheel,
            cwd=env,
        )
        site = Path(
            run(
                python,
                '-c',
                'import sysconfig; print(sysconfig.get_path("purelib"))',
                cwd=env,
            ).strip()
        )
        neighbours = env / 'neighbours'
        neighbours.mkdir()
        for path in Path(sysconfig.get_path('purelib')).iterdir():
            if 'mmd2a' not in path.name:
                (neighbours / path.name).symlink_to(path)
        (site / 'neighbours.pth').write_text(str(neighbours))
        return python

    return make


@pytest.fixture
def run_in(tmp_path):
    """``run_in(python, *arguments)``: output of a run in an empty folder."""
    return lambda python, *arguments: run(python, *arguments, cwd=tmp_path)

"""What the quickstart runs, in which order, with which options.

Its tools are replaced by scripts that write down how they were called: each
has tests of its own, and together they take minutes.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTE = 'echo "$(basename "$0") $*" >> calls\n'
ENTRY = """
from mmd2a.weights import WeightsEntry
from mmd2a.weights.index import index_content, index_path
from mmd2a.files import write_json
import sys
entries = {
    name: WeightsEntry(
        name, '0' * 64, 1, 1, 'd2a_hmr_hrnet.py', 'Apache-2.0',
        [dict(name='people', licence='Apache-2.0')],
        dict(command='train', commit='c0ffee'), parts=parts)
    for name, parts in (('a-start', ['backbone']), ('small', []))
}
write_json(index_path(sys.argv[1]), index_content(entries))
"""


@pytest.fixture
def quickstart(tmp_path):
    """``quickstart(*options, **environment) -> calls`` in an empty folder."""
    tools = tmp_path / 'tools'
    for folder in ('data', 'analysis'):
        (tools / folder).mkdir(parents=True)
    for name in ('quickstart.sh', 'usage.sh'):
        shutil.copy(ROOT / 'tools' / name, tools)
    for name in ('install.sh', 'dist_train.sh', 'dist_test.sh'):
        (tools / name).write_text(NOTE)
    with (tools / 'dist_train.sh').open('a') as file:
        file.write('echo elsewhere/epoch_1.pth > "$4/last_checkpoint"\n')
    # Of the environment: this interpreter, which runs tools as shell scripts.
    (tmp_path / 'venv' / 'bin').mkdir(parents=True)
    python = tmp_path / 'venv' / 'bin' / 'python'
    python.write_text(
        f'#!/bin/sh\ncase "$1" in -*) exec {sys.executable} "$@";; esac\n'
        'echo "$(basename "$1") $*" >> calls\n'
    )
    python.chmod(0o755)

    def run(*options, **environment):
        (tmp_path / 'calls').unlink(missing_ok=True)
        done = subprocess.run(
            ['bash', tools / 'quickstart.sh', *options],
            env={
                **os.environ,
                'PYTHONPATH': str(ROOT),
                'CUDA_VISIBLE_DEVICES': '',
                'MMD2A_VENV': str(tmp_path / 'venv'),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, (tmp_path / 'calls').read_text().splitlines()

    return run


def test_every_step_is_brief_and_has_the_options(quickstart):
    said, calls = quickstart('--epochs', '3', '--seed', '7')
    folder = 'work_dirs/quickstart_epochs3_seed7'
    assert f'the whole log: {folder}/quickstart.log' in said
    install, *steps = calls
    assert install == 'install.sh runtime'
    assert all(f' --brief {folder}/quickstart.log' in step for step in steps)
    options = '--cfg-options train_cfg.max_epochs=3 randomness.seed=7'
    named = {step.split()[0]: step for step in steps}
    for tool in (
        'make_synthetic_people.py',
        'dist_train.sh',
        'draw_sheet.py',
        'compare_with_mean_pose.py',
    ):
        assert named[tool].endswith(options), tool
    assert f' {folder}/epoch_1.pth ' in named['dist_test.sh']
    assert '--title trained now' in named['compare_with_mean_pose.py']


def test_the_model_that_ships_comes_first(quickstart, tmp_path):
    folder = str(tmp_path / 'weights')
    subprocess.run(
        [sys.executable, '-c', ENTRY, folder],
        check=True,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    said, calls = quickstart(MMD2A_WEIGHTS=folder)
    name = said.split('0/5 a model that ships, ')[1].split(',')[0]
    assert name != 'a-start'
    tools = [call.split()[0] for call in calls]
    assert tools[:3] == [
        'install.sh',
        'draw_shipped.py',
        'make_synthetic_people.py',
    ]
    assert f'--weights {name} ' in calls[1]
    assert f'--shipped {name} ' in calls[-1]

"""What is shown with --brief, and what goes to the file alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / 'tests' / 'toy_project'
PROGRAM = """
from mmd2a.cli.brief import begin_brief, is_brief, tell
begin_brief()
import logging, os, sys, warnings
from tqdm import tqdm
import library
assert is_brief() == ('--brief' in sys.argv)
os.system('echo compiled code')
print('chatter')
library.talk()
logging.getLogger('a').info('an info of ours')
for _ in range(2):
    logging.getLogger('a').warning('%s of ours', 'a record')
with tqdm(total=2, mininterval=0) as bar:
    bar.update()
    warnings.warn('a warning of ours')
    bar.update()
tell('a result')
if 'fail' in sys.argv:
    raise ValueError('a failure')
sys.exit('error: a mistake')
"""
LIBRARY = """
import logging, sys, warnings
warnings.warn('a warning at import')
def talk():
    warnings.warn('a warning of a library')
    logging.getLogger('b').error('an error of a library')
    logging.StreamHandler().emit(
        logging.LogRecord('b', 20, '', 1, 'an info of a library', (), None))
"""


@pytest.fixture
def run(tmp_path):
    """``run(*arguments) -> CompletedProcess`` of a program that talks."""
    (tmp_path / 'program.py').write_text(PROGRAM)
    # Where libraries are installed, as this interpreter knows it.
    (tmp_path / 'library.py').write_text(
        'import sysconfig\n'
        "file = sysconfig.get_path('purelib') + '/library.py'\n"
        f'exec(compile({LIBRARY!r}, file, "exec"))\n'
    )

    def run(*arguments):
        done = subprocess.run(
            [sys.executable, 'program.py', *arguments],
            cwd=tmp_path,
            env={**os.environ, 'PYTHONPATH': str(ROOT)},
            capture_output=True,
            timeout=60,
        )
        # As text, a carriage return would become a new line.
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        return done

    return run


def test_the_console_has_what_is_ours_and_the_file_has_it_all(run, tmp_path):
    done = run('--brief', 'logs/all.log')
    assert done.returncode == 1
    assert done.stdout == 'a result\n'
    lines = [line.split('\r')[-1] for line in done.stderr.split('\n')]
    assert lines[0] == 'warning: a record of ours'
    assert '1/2' in lines[1] and '2/2' in lines[3]
    # On a line of its own.
    assert lines[2].startswith('warning: a warning of ours (')
    assert lines[4:] == ['error: a mistake', '']
    log = (tmp_path / 'logs' / 'all.log').read_text()
    for text in (
        'compiled code',
        'chatter',
        'a warning at import',
        'a warning of a library',
        'an error of a library',
        'an info of a library',
        'a record of ours',
        'a warning of ours',
        'a result',
        'error: a mistake',
    ):
        assert text in log, text
    assert '\r' not in log


def test_a_failure_keeps_its_traceback(run, tmp_path):
    done = run('--brief', 'all.log', 'fail')
    for said in (done.stderr, (tmp_path / 'all.log').read_text()):
        assert 'Traceback' in said and 'ValueError: a failure' in said


def test_without_the_option_nothing_changes(run):
    done = run()
    for text in ('compiled code', 'chatter', 'a result'):
        assert text in done.stdout
    for text in ('a warning at import', 'an error of a library'):
        assert text in done.stderr


def test_a_file_that_cannot_be_written_is_named(run, tmp_path):
    done = run('--brief', str(tmp_path))
    assert done.returncode == 1 and done.stderr.count('\n') == 1
    assert done.stderr.startswith(f'error: --brief {tmp_path}: ')


def test_a_training_and_its_evaluation(tmp_path):
    environment = {
        **os.environ,
        'PYTHON': sys.executable,
        'OMP_NUM_THREADS': '1',
        'PYTHONPATH': f'{ROOT}{os.pathsep}{PROJECT}',
        'CUDA_VISIBLE_DEVICES': '',
    }
    said = []
    for tool, arguments in (
        ('dist_train.sh', ['2']),
        ('dist_test.sh', ['run/epoch_2.pth', '2', '--out', 'results.json']),
    ):
        done = subprocess.run(
            ['bash', ROOT / 'tools' / tool, PROJECT / 'toy_config.py']
            + [*arguments, '--work-dir', 'run', '--brief', 'all.log'],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == ''
        said += done.stderr.splitlines()
    first, second, third = said
    assert first.startswith('epoch 1/2, loss ') and ', error ' in first
    assert first.endswith(' left')
    assert second.startswith('epoch 2/2, loss ') and ', error ' in second
    assert third.startswith('evaluation, error ')
    log = (tmp_path / 'all.log').read_text()
    assert 'before_train_iter' in log and 'Epoch(test)' in log

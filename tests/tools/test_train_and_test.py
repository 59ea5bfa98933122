"""The command line tools, run as commands."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

TRAIN = Path(__file__).parents[2] / 'tools' / 'train.py'
# Stops a training in the middle of writing its second checkpoint.
STOP_IN_SAVE = """
import os, runpy, sys, time
replace = os.replace

def stop(source, target):
    if 'epoch_2' in str(target):
        open('reached', 'w').close()
        time.sleep(60)
    replace(source, target)

os.replace = stop
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name='__main__')
"""


@pytest.mark.parametrize('tool', ['train.py', 'test.py'])
def test_help_names_what_users_expect(run_tool, tool):
    text = run_tool(tool, '--help').stdout
    for option in ('--work-dir', '--cfg-options', '--launcher'):
        assert option in text


@pytest.mark.parametrize(
    'tool',
    ['dist_train.sh', 'dist_test.sh', 'slurm_train.sh', 'slurm_test.sh'],
)
def test_scripts_without_arguments_explain_themselves(run_tool, tool):
    assert tool in run_tool(tool, ok=False).stderr


def test_the_command_does_what_the_tools_do(
    run_tool, toy_config, tmp_path, environment
):
    def command(*arguments, ok=True):
        done = subprocess.run(
            [sys.executable, '-m', 'mmd2a.cli.main', *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done

    short = ('--cfg-options', 'train_cfg.max_epochs=1')
    command('train', toy_config, '--work-dir', 'run', *short)
    checkpoint = tmp_path / 'run' / 'epoch_1.pth'
    arguments = (toy_config, checkpoint, '--work-dir', 'run', '--out')
    command('test', *arguments, 'command.json')
    run_tool('test.py', *arguments, 'tool.json')
    results = [
        json.loads((tmp_path / f'{name}.json').read_text())
        for name in ('command', 'tool')
    ]
    assert results[0] == results[1] != {}
    done = command('train', 'absent.py', '--brief', 'log.txt', ok=False)
    assert done.stderr.startswith('error: there is no config absent.py')
    assert not done.stdout and (tmp_path / 'log.txt').is_file()
    assert 'usage: mmd2a train ' in command('train', '--help').stdout


def test_train_resume_and_test(run_tool, toy_config, tmp_path):
    run_tool(
        'train.py',
        toy_config,
        '--work-dir',
        'run',
        '--resume',
        '--amp',
        '--cfg-options',
        'train_cfg.max_epochs=1',
    )
    assert (tmp_path / 'run/epoch_1.pth').is_file()
    (tmp_path / 'run').rename(tmp_path / 'moved')
    done = run_tool(
        'train.py', toy_config, '--work-dir', 'moved', '--resume', 'auto'
    )
    assert 'resumed epoch: 1, iter: 4' in done.stdout + done.stderr
    checkpoint = tmp_path / 'moved/epoch_2.pth'
    run_tool(
        'test.py',
        toy_config,
        checkpoint,
        '--work-dir',
        'moved',
        '--out',
        'results.json',
    )
    results = json.loads((tmp_path / 'results.json').read_text())
    state = torch.load(checkpoint, weights_only=True)
    best = state['message_hub']['runtime_info']['best_score']
    assert set(results) == {'error'} and best <= results['error']


def test_a_training_killed_while_saving_goes_on(
    run_tool, toy_config, environment, tmp_path
):
    process = subprocess.Popen(
        [
            sys.executable,
            '-c',
            STOP_IN_SAVE,
            str(TRAIN),
            str(toy_config),
            '--work-dir',
            'run',
        ],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 90
    while not (tmp_path / 'reached').exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    process.kill()
    process.wait()

    latest = (tmp_path / 'run/last_checkpoint').read_text()
    assert os.path.basename(latest) == 'epoch_1.pth'
    torch.load(latest, weights_only=True)
    assert list((tmp_path / 'run').glob('.epoch_2.pth.*.incomplete'))

    run_tool('train.py', toy_config, '--work-dir', 'run', '--resume')
    names = os.listdir(tmp_path / 'run')
    assert 'epoch_2.pth' in names and 'epoch_1.pth' not in names
    assert not [name for name in names if name.endswith('.incomplete')]


def test_two_processes_train_alike_and_resume(run_tool, toy_config, tmp_path):
    config = tmp_path / 'with_dump.py'
    config.write_text(
        f'_base_ = {str(toy_config)!r}\n'
        'custom_hooks = [dict(type="EMAHook"), dict(type="ToyDumpHook")]\n'
    )
    run_tool(
        'dist_train.sh',
        config,
        2,
        '--work-dir',
        'run',
        '--cfg-options',
        'train_cfg.max_epochs=1',
    )
    done = run_tool(
        'dist_train.sh', config, 2, '--work-dir', 'run', '--resume'
    )
    assert 'resumed epoch: 1, iter: 2' in done.stdout + done.stderr
    first, second = (
        torch.load(tmp_path / f'run/rank_{rank}.pth', weights_only=True)
        for rank in (0, 1)
    )
    for name, value in first['params'].items():
        assert torch.equal(value, second['params'][name]), name
    assert not torch.equal(first['noise'], second['noise'])


def test_mistakes_are_told_in_one_line(run_tool, toy_config):
    done = run_tool('train.py', toy_config, '--launcher', 'mpi', ok=False)
    assert done.stderr.startswith('error: ') and done.stderr.count('\n') == 1


def test_the_learning_rate_is_scaled_only_for_a_known_batch_size(
    run_tool, toy_config, tmp_path
):
    done = run_tool('train.py', toy_config, '--auto-scale-lr', ok=False)
    assert 'base_batch_size' in done.stderr
    log = run_tool(
        'train.py',
        toy_config,
        '--auto-scale-lr',
        '--work-dir',
        tmp_path / 'scaled',
        '--cfg-options',
        'auto_scale_lr.base_batch_size=1',
    )
    assert 'LR is set based on batch size of 1' in log.stdout


def test_slurm_gets_the_arguments_in_order(run_tool, environment, tmp_path):
    srun = tmp_path / 'bin' / 'srun'
    srun.parent.mkdir()
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    environment.update(
        PATH=f'{srun.parent}:{environment["PATH"]}',
        GPUS='4',
        GPUS_PER_NODE='2',
        PYTHON='python',
    )
    words = run_tool(
        'slurm_train.sh', 'gpu', 'job', 'c.py', 'run', '--amp'
    ).stdout.split('\n')
    assert words[:3] == ['-p', 'gpu', '--job-name=job']
    assert '--ntasks=4' in words and '--gres=gpu:2' in words
    assert words[-7:-1] == [
        'c.py',
        '--work-dir',
        'run',
        '--amp',
        '--launcher',
        'slurm',
    ]
    words = run_tool(
        'slurm_test.sh', 'gpu', 'job', 'c.py', 'c.pth'
    ).stdout.split('\n')
    assert words[-5:-1] == ['c.py', 'c.pth', '--launcher', 'slurm']

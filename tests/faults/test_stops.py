"""Real processes that get real signals: one line, nobody left, 128 + n."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / 'tests' / 'toy_project'
TRAIN = [sys.executable, str(ROOT / 'tools' / 'train.py')]
TEST = [sys.executable, str(ROOT / 'tools' / 'test.py')]
DIST_TEST = ['bash', str(ROOT / 'tools' / 'dist_test.sh')]
DIST_TRAIN = ['bash', str(ROOT / 'tools' / 'dist_train.sh')]
CONFIG = f"""
_base_ = {str(PROJECT / 'toy_config.py')!r}
custom_hooks = [dict(type='EMAHook'), dict(type='ToyDumpHook')]
loader = dict(num_workers=2, worker_init_fn=dict(type='mmd2a.init_worker'))
train_dataloader = dict(**loader, dataset=dict(length=LENGTH))
test_dataloader = dict(**loader, dataset=dict(length=100000))
"""


@pytest.fixture
def start(tmp_path):
    """``start(command, *arguments, length=...) -> process``, in a session."""
    started = []

    def run(command, *arguments, length=4000):
        config = tmp_path / 'job.py'
        config.write_text(CONFIG.replace('LENGTH', str(length)))
        process = subprocess.Popen(
            [*command, str(config), *map(str, arguments)],
            cwd=tmp_path,
            env={
                **os.environ,
                'PYTHON': sys.executable,
                'OMP_NUM_THREADS': '1',
                'PYTHONPATH': f'{ROOT}{os.pathsep}{PROJECT}',
                'CUDA_VISIBLE_DEVICES': '',
            },
            stdout=open(tmp_path / 'stdout', 'w'),
            stderr=open(tmp_path / 'stderr', 'w'),
            start_new_session=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if session_of(process):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def session_of(process):
    """Processes of the session that a process has begun."""
    found = subprocess.run(
        ['ps', '-o', 'pid=', '-s', str(process.pid)],
        capture_output=True,
        text=True,
    )
    return found.stdout.split()


def wait_for_answer(process):
    """Until a process catches SIGUSR1, which Python itself does not."""
    status = Path('/proc', str(process.pid), 'status')
    deadline = time.monotonic() + 60
    while True:
        caught = int(status.read_text().split('SigCgt:')[1].split()[0], 16)
        if caught >> (signal.SIGUSR1 - 1) & 1:
            return
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)


def wait_for(tmp_path, text, process):
    deadline = time.monotonic() + 100
    while text not in (tmp_path / 'stdout').read_text():
        assert process.poll() is None, (tmp_path / 'stderr').read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)


def stop(process, signum, tmp_path, group=False):
    """Send a signal; what was said. All have to be gone within 5 seconds."""
    begin = time.monotonic()
    (os.killpg if group else os.kill)(process.pid, signum)
    code = process.wait(timeout=30)
    while session_of(process):
        time.sleep(0.05)
        assert time.monotonic() - begin < 30
    seconds = time.monotonic() - begin
    said = (tmp_path / 'stderr').read_text()
    assert 'Traceback' not in said + (tmp_path / 'stdout').read_text(), said
    assert code == 128 + signum, said
    # Busy machines are slower than the 5 s that it takes at most on others.
    assert seconds < 15
    lines = [line for line in said.splitlines() if 'stopped by' in line]
    assert len(lines) == 1 and lines[0] == said.splitlines()[-1], said
    return lines[0]


@pytest.mark.skipif(sys.platform != 'linux', reason='reads sessions by ps')
def test_a_training_saves_and_says_so(start, tmp_path):
    process = start(TRAIN, '--work-dir', 'run')
    wait_for(tmp_path, 'Epoch(train)', process)
    # As a scheduler does: to everyone, workers included.
    line = stop(process, signal.SIGTERM, tmp_path, group=True)
    assert 'in epoch 1 after step' in line
    saved = (tmp_path / 'run' / 'last_checkpoint').read_text()
    assert saved in line
    checkpoint = torch.load(tmp_path / saved, weights_only=True)
    assert checkpoint['mid_epoch']['steps'] == checkpoint['meta']['iter']


def toy_weights(tmp_path):
    sys.path.insert(0, str(PROJECT))
    try:
        from toy_run import ToyModel
    finally:
        sys.path.remove(str(PROJECT))
    path = tmp_path / 'weights.pth'
    torch.save(dict(state_dict=ToyModel().state_dict()), path)
    return path


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
@pytest.mark.parametrize('number', ['SIGINT', 'SIGTERM', 'SIGUSR1'])
@pytest.mark.parametrize('command', [TRAIN, TEST], ids=['train', 'test'])
def test_a_stop_during_the_imports_is_one_line(
    start, tmp_path, command, number
):
    process = start(command, '--work-dir', 'run')
    wait_for_answer(process)
    line = stop(process, getattr(signal, number), tmp_path, group=True)
    assert line == f'stopped by {number}'
    assert not (tmp_path / 'run').exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != 'linux', reason='reads sessions by ps')
@pytest.mark.parametrize('group', [True, False])
def test_a_test_of_many_processes_just_stops(start, tmp_path, group):
    process = start(DIST_TEST, toy_weights(tmp_path), 2, '--work-dir', 'run')
    wait_for(tmp_path, 'Epoch(test)', process)
    line = stop(process, signal.SIGTERM, tmp_path, group=group)
    assert line == 'stopped by SIGTERM'


@pytest.mark.skipif(sys.platform != 'linux', reason='reads sessions by ps')
def test_a_test_just_stops(start, tmp_path):
    brief = ['--brief', tmp_path / 'stdout']
    process = start(TEST, toy_weights(tmp_path), '--work-dir', 'run', *brief)
    wait_for(tmp_path, 'Epoch(test)', process)
    line = stop(process, signal.SIGINT, tmp_path, group=True)
    assert line == 'stopped by SIGINT'


@pytest.mark.slow
@pytest.mark.parametrize('command', [TRAIN, DIST_TRAIN], ids=['one', 'two'])
def test_a_stopped_training_ends_to_the_bit(start, tmp_path, command):
    ranks = [2] if command is DIST_TRAIN else []
    arguments = [*ranks, '--resume', '--work-dir']
    assert start(command, *arguments, 'whole', length=400).wait(300) == 0
    process = start(command, *arguments, 'parts', length=400)
    wait_for(tmp_path, 'Epoch(train)', process)
    line = stop(process, signal.SIGUSR1, tmp_path)
    assert '--resume' in line
    assert start(command, *arguments, 'parts', length=400).wait(300) == 0
    for rank in range(len(ranks) + 1):
        whole, parts = (
            torch.load(tmp_path / folder / f'rank_{rank}.pth')
            for folder in ('whole', 'parts')
        )
        for name, value in whole['params'].items():
            assert torch.equal(value, parts['params'][name]), name
        seen = len(parts['noise'])
        assert 0 < seen < len(whole['noise'])
        assert torch.equal(whole['noise'][-seen:], parts['noise'])
    names = [
        sorted(path.name for path in (tmp_path / folder).glob('*.pth'))
        for folder in ('whole', 'parts')
    ]
    assert names[0] == names[1]


@pytest.mark.slow
def test_ctrl_c_ends_many_processes(start, tmp_path):
    process = start(DIST_TRAIN, 2, '--work-dir', 'run')
    wait_for(tmp_path, 'Epoch(train)', process)
    assert stop(process, signal.SIGINT, tmp_path, group=True)

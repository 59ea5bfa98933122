"""Whoever stops while people are made leaves no process and nothing half."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import mmd2a

SCRIPT = """
import sys
from mmd2a.cli.launch import run_tool
from mmd2a.datasets import SyntheticPeople

def main():
    SyntheticPeople(
        sys.argv[1], num_people=4000, image_size=48, shard_size=2,
        num_workers=2)

run_tool(main) if sys.argv[2] == 'tool' else main()
"""


def children_of(pid: int) -> list[int]:
    """Processes started by another, as Linux tells."""
    path = Path(f'/proc/{pid}/task/{pid}/children')
    return [int(child) for child in path.read_text().split()]


def is_there(pid: int) -> bool:
    try:
        state = Path(f'/proc/{pid}/stat').read_text().rsplit(')', 1)[1]
    except OSError:
        return False
    return state.split()[0] != 'Z'


def wait_for(condition, seconds):
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize(
    'caller, number, code',
    [
        ('tool', signal.SIGTERM, 143),
        pytest.param('tool', signal.SIGINT, 130, marks=pytest.mark.slow),
        pytest.param('plain', signal.SIGTERM, -15, marks=pytest.mark.slow),
        pytest.param('plain', signal.SIGKILL, -9, marks=pytest.mark.slow),
    ],
)
def test_a_stop_while_people_are_made(tmp_path, caller, number, code):
    root = tmp_path / 'people'
    with open(tmp_path / 'log', 'w') as log:
        maker = subprocess.Popen(
            [sys.executable, '-c', SCRIPT, str(root), caller],
            stdout=log,
            stderr=log,
            env=dict(
                os.environ,
                PYTHONPATH=str(Path(mmd2a.__file__).parents[1]),
                OMP_NUM_THREADS='1',
            ),
            start_new_session=True,
        )
    try:
        assert wait_for(lambda: any(root.glob('*/shard_*')), 120)
        workers = children_of(maker.pid)
        assert len(workers) == 2
        if number == signal.SIGINT:  # as a terminal sends it
            os.killpg(maker.pid, number)
        else:
            maker.send_signal(number)
        assert maker.wait(10) == code
        assert wait_for(lambda: not any(map(is_there, workers)), 5)
    finally:
        maker.kill()
        maker.wait()
    # A killed worker cannot clean up; the next one to make the shard does.
    assert not list(root.glob('*/.shard_*')) or number == signal.SIGKILL
    lines = (tmp_path / 'log').read_text().replace('\r', '\n').splitlines()
    told = [line for line in lines if line and 'people' not in line]
    stopped = [f'stopped by {signal.Signals(number).name}']
    assert told == (stopped if caller == 'tool' else [])

"""Signals to stop, sent to this process and to real workers."""

import multiprocessing
import os
import signal
import time

import pytest
from torch.utils.data import DataLoader

from mmd2a.cli.launch import run_tool
from mmd2a.engine.stopping import (
    Stopped,
    defer_stops,
    end_children,
    handle_stop_signals,
    requested_stop,
)
from mmd2a.engine.worker_init import init_worker

STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1]


@pytest.fixture(autouse=True)
def handlers():
    """What this process did with signals, it does again afterwards."""
    before = {
        number: signal.getsignal(number) for number in (*STOPS, signal.SIGCHLD)
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize('signum', STOPS)
def test_a_tool_that_is_told_to_stop_says_so_in_one_line(signum, capsys):
    with pytest.raises(SystemExit) as left:
        run_tool(lambda: signal.raise_signal(signum))
    assert left.value.code == 128 + signum
    assert capsys.readouterr().err == f'stopped by {signum.name}\n'


def test_what_fails_because_of_a_stop_is_a_stop(capsys):
    def main():
        defer_stops()
        signal.raise_signal(signal.SIGTERM)
        raise ConnectionError('the other rank is gone')

    with pytest.raises(SystemExit) as left:
        run_tool(main)
    assert left.value.code == 143
    assert 'Traceback' not in capsys.readouterr().err


def test_a_failure_is_no_stop():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(ConnectionError):
        run_tool(lambda: (_ for _ in ()).throw(ConnectionError('gone')))
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_second_signal_does_not_disturb_the_leaving():
    with pytest.raises(Stopped) as stop, handle_stop_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
    assert stop.value.signum == signal.SIGTERM


def test_a_deferred_stop_is_noted_but_ctrl_c_is_not_deferred():
    with handle_stop_signals():
        defer_stops()
        assert requested_stop() is None
        signal.raise_signal(signal.SIGUSR1)
        signal.raise_signal(signal.SIGTERM)
        assert requested_stop() == signal.SIGUSR1
        with pytest.raises(Stopped, match='SIGINT'):
            signal.raise_signal(signal.SIGINT)


class Endless:
    """More samples than anyone waits for."""

    def __len__(self):
        return 10**6

    def __getitem__(self, index):
        time.sleep(0.01)
        return index


def test_workers_outlive_a_signal_to_the_group_and_end_with_the_parent():
    loader = DataLoader(Endless(), num_workers=2, worker_init_fn=init_worker)
    batches = iter(loader)
    next(batches)
    workers = multiprocessing.active_children()
    assert len(workers) == 2
    # As a group of processes gets it, from someone who is not the parent.
    child = os.fork()
    if child == 0:
        for worker in workers:
            for number in STOPS:
                os.kill(worker.pid, number)
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(20):
        next(batches)
    assert all(worker.is_alive() for worker in workers)
    begin = time.monotonic()
    end_children()
    assert time.monotonic() - begin < 2.0
    assert [worker.exitcode for worker in workers] == [0, 0]


def _sleep_through_it():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(60)


def test_a_child_that_does_not_listen_is_killed():
    child = multiprocessing.get_context('fork').Process(
        target=_sleep_through_it
    )
    child.start()
    time.sleep(0.2)
    end_children(patience=0.3)
    assert child.exitcode == -signal.SIGKILL

"""Being told to stop: in one place, with no process left behind.

Ctrl-C (SIGINT), SIGTERM and SIGUSR1, which Slurm sends before it takes a
machine away, raise :class:`Stopped` in the main thread, at once or, while
something is done that should be ended properly, when it asks for it.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

__all__ = [
    'Stopped',
    'defer_stops',
    'end_children',
    'handle_stop_signals',
    'leave_stopping_to_parent',
    'requested_stop',
]

_SIGNALS = ('SIGINT', 'SIGTERM', 'SIGUSR1')
# Senders often send twice: to the group, and a launcher to its processes.
_SECONDS_BETWEEN = 3.0


class Stopped(BaseException):
    """The process was told to stop.

    No ``Exception``, so that nothing mistakes it for a failure and goes on.

    Args:
        signum: the signal.
        note: what was done about it, for the user.

    Example:
        >>> stop = Stopped(signal.SIGTERM, 'saved epoch_2.pth')
        >>> str(stop), stop.exit_code
        ('stopped by SIGTERM: saved epoch_2.pth', 143)
    """

    def __init__(self, signum: int, note: str = '') -> None:
        self.signum = signum
        self.note = note
        name = signal.Signals(signum).name
        super().__init__(f'stopped by {name}' + (f': {note}' if note else ''))

    @property
    def exit_code(self) -> int:
        """128 + n, as shells have it."""
        return 128 + self.signum


class _State:
    """What was asked for in this process; signals are per process too."""

    owner = 0
    deferred = False
    requested: int | None = None
    raised_at = -_SECONDS_BETWEEN


@contextmanager
def handle_stop_signals() -> Iterator[None]:
    """Turn signals to stop into :class:`Stopped` within the context.

    After a stop they stay handled, for more of them may come while the
    process leaves. Outside the main thread, where Python allows no handlers,
    nothing changes.

    Example:
        >>> with handle_stop_signals():
        ...     try:
        ...         signal.raise_signal(signal.SIGINT)
        ...     except Stopped as stop:
        ...         print(stop)
        stopped by SIGINT
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _State.owner = os.getpid()
    _State.deferred = False
    _State.requested = None
    _State.raised_at = -_SECONDS_BETWEEN
    before = {
        number: signal.signal(number, _on_signal) for number in _numbers()
    }
    try:
        yield
    except Stopped:
        raise
    except BaseException:
        _restore(before)
        raise
    _restore(before)


def defer_stops(wanted: bool = True) -> None:
    """Note SIGTERM and SIGUSR1 from now on, instead of raising.

    Whoever wants that asks :func:`requested_stop` at moments that suit, and
    raises :class:`Stopped`. Ctrl-C is not deferred.

    Args:
        wanted: False ends it.

    Example:
        >>> with handle_stop_signals():
        ...     defer_stops()
        ...     signal.raise_signal(signal.SIGTERM)
        ...     requested_stop() == signal.SIGTERM
        True
        >>> defer_stops(False)
    """
    _State.deferred = wanted


def requested_stop() -> int | None:
    """Signal that told this process to stop, or None."""
    return _State.requested


def end_children(patience: float = 2.0) -> None:
    """End the processes that :mod:`multiprocessing` started, workers too.

    Args:
        patience: seconds they have to end by themselves.

    Example:
        >>> end_children()
        >>> multiprocessing.active_children()
        []
    """
    # torch raises from this handler when a worker of a data loader is ended.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    children = multiprocessing.active_children()
    for child in children:
        child.terminate()
    deadline = time.monotonic() + patience
    for child in children:
        child.join(max(deadline - time.monotonic(), 0))
        if child.is_alive():
            child.kill()
            child.join(1.0)


def leave_stopping_to_parent() -> None:
    """Make a worker process end when its parent says so, and only then.

    A signal to a whole group of processes (Ctrl-C in a terminal, a scheduler)
    reaches workers too. Were they to go, the parent could not end its step.

    Example:
        >>> from torch.utils.data import DataLoader
        >>> loader = DataLoader(
        ...     [1, 2], num_workers=1,
        ...     worker_init_fn=lambda _: leave_stopping_to_parent())
        >>> [batch.item() for batch in loader]
        [1, 2]
    """
    for number in _numbers():
        if number != signal.SIGTERM:
            signal.signal(number, signal.SIG_IGN)
    if not hasattr(signal, 'sigwaitinfo'):  # macOS
        return
    # Threads started later inherit the mask, so that only the one below,
    # which learns who the sender is, gets the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != os.getppid():
        pass
    os._exit(0)


def _numbers() -> list[signal.Signals]:
    return [
        getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)
    ]


def _restore(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _on_signal(signum: int, frame: FrameType | None) -> None:
    if os.getpid() != _State.owner:  # a forked child: its parent decides
        if signum == signal.SIGTERM:
            os._exit(128 + signum)
        return
    _State.requested = _State.requested or signum
    if _State.deferred and signum != signal.SIGINT:
        return
    # Not while it is on its way out already. If something swallowed it, the
    # next signal counts again.
    if time.monotonic() - _State.raised_at < _SECONDS_BETWEEN:
        return
    _State.raised_at = time.monotonic()
    raise Stopped(signum)

"""``torchrun`` that hands on every signal to stop, and leaves as it was told.

    python -m mmd2a.cli.torchrun --nproc_per_node 2 tools/train.py CONFIG ...

Takes the arguments of ``torchrun``. That ends its processes by SIGTERM only
and answers a signal, and a process that failed, with a traceback and exit code
1; here SIGUSR1, too, reaches the training, which saves, and the exit code is
128 + n, or that of the process.
"""

if __name__ == '__main__':  # Before anything that takes seconds to import.
    from mmd2a.cli.early_stops import answer_early_stops

    answer_early_stops()

import logging
import signal
import sys
from types import FrameType
from typing import NoReturn

from torch.distributed import run
from torch.distributed.elastic.multiprocessing import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError


def main(arguments: list[str] | None = None) -> None:
    """Start the processes and wait for them."""
    if hasattr(signal, 'SIGUSR1'):
        signal.signal(signal.SIGUSR1, _hand_on)
    # Of this process: a warning per signal and process. The processes have
    # logs of their own.
    logging.disable(logging.WARNING)
    try:
        run.main(arguments)
    except SignalException as stop:
        sys.exit(128 + int(stop.sigval))
    except ChildFailedError as error:
        _leave(error)


def _hand_on(signum: int, frame: FrameType | None) -> None:
    # As torchrun answers SIGTERM: its agent sends it to the processes.
    raise SignalException(
        f'got signal {signum}', sigval=signal.Signals(signum)
    )


def _leave(error: ChildFailedError) -> NoReturn:
    """Leave as the processes did; what went wrong they have said."""
    codes = {
        rank: failure.exitcode for rank, failure in error.failures.items()
    }
    first = next(iter(codes.values()))
    told_to_stop = len(set(codes.values())) == 1 and 128 < first < 160
    if not told_to_stop:
        which = ', '.join(
            f'{rank} with {code}' for rank, code in codes.items()
        )
        sys.stderr.write(
            f'ranks left with an exit code: {which}; what they said is above\n'
        )
    sys.exit(first if first > 0 else 128 - first)


if __name__ == '__main__':
    main()

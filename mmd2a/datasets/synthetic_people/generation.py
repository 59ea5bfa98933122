"""Make the people that a cache lacks, on all cores, with others or alone."""

import errno
import functools
import json
import logging
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mmengine.dist import is_main_process
from mmengine.logging import print_log
from tqdm import tqdm

from mmd2a.datasets.synthetic_people.cache import Cache
from mmd2a.datasets.synthetic_people.disk_errors import (
    bytes_per_person,
    explain_os_error,
)
from mmd2a.files import UnusableFileError
from mmd2a.people.motion_files import check_motions

__all__ = ['generate_people']

_POLL_SECONDS = 0.2
#: What workers have to end after being told, before they are killed.
_PATIENCE = 2.0
# The first that a worker runs, before the seconds that imports take. Its
# standard input ends with whoever started it, by whatever death. A Ctrl-C in
# the terminal reaches workers too, but is for that one to answer.
_WORKER = """
import os, runpy, signal, sys, threading, time

def follow():
    while os.read(0, 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2)
    os._exit(143)

signal.signal(signal.SIGINT, signal.SIG_IGN)
threading.Thread(target=follow, daemon=True).start()
sys.argv[0] = 'worker'
name = 'mmd2a.datasets.synthetic_people.worker'
try:
    runpy.run_module(name, run_name='__main__')
except SystemExit as end:
    # Taking down an interpreter with torch in it takes seconds.
    sys.stdout.flush()
    os._exit(end.code or 0)
"""
_LOG_SECONDS = 30.0


def generate_people(
    cache: Cache, num_people: int, num_workers: int | None = None
) -> int:
    """Make sure that a cache holds its first ``num_people`` people.

    Any number of processes may do so at the same time: they share the work.
    What was interrupted is continued.

    Args:
        cache: the cache.
        num_people: how many people are needed.
        num_workers: processes; 1 works in this one, None takes all cores
            (shared among the ranks of a machine).

    Returns:
        int: how many people this call has made.
    """
    missing = cache.missing_shards(num_people)
    if not missing:
        return 0
    if cache.uses_motions:
        check_motions(cache.motions, cache.split)
    num_missing = len(missing) * cache.shard_size
    try:
        cache.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(cache.folder, os.W_OK | os.X_OK):
            raise PermissionError(
                errno.EACCES, 'Permission denied', str(cache.folder)
            )
        need = num_missing * bytes_per_person(cache.image_size)
        if shutil.disk_usage(cache.folder).free < need:
            raise OSError(errno.ENOSPC, 'No space left on device')
    except OSError as error:
        raise explain_os_error(
            error, cache.data_root, cache.image_size, num_missing
        ) from error

    if num_workers is None:
        ranks = int(os.environ.get('LOCAL_WORLD_SIZE', 1))
        cores = (
            len(os.sched_getaffinity(0))
            if hasattr(os, 'sched_getaffinity')
            else os.cpu_count() or 1
        )
        num_workers = max(cores // ranks, 1)
    num_workers = min(num_workers, len(missing))
    print_log(
        f'Making {num_missing} synthetic people ({cache.split}, '
        f'{cache.image_size} px, seed {cache.seed}) in '
        f'{cache.folder.absolute()} with {num_workers} '
        f'process{"es" if num_workers > 1 else ""}; done once, read '
        f'from there afterwards.',
        logger='current',
        level=logging.INFO,
    )
    with tqdm(
        total=num_missing,
        unit='person',
        dynamic_ncols=True,
        desc=f'{cache.split} people',
        disable=not is_main_process(),
        # A log file gets a line now and then, a terminal a moving bar.
        mininterval=0.1 if sys.stderr.isatty() else 10,
    ) as progress:
        try:
            made = _make(cache, missing, num_workers, progress)
        except OSError as error:
            left = len(cache.missing_shards(num_people))
            raise explain_os_error(
                error,
                cache.data_root,
                cache.image_size,
                left * cache.shard_size,
            ) from error
        progress.update(num_missing - progress.n)
    return made * cache.shard_size


def _make(
    cache: Cache, missing: list[int], num_workers: int, progress: tqdm
) -> int:
    """Return when no shard is missing: how many were made by this call."""
    read_frames = functools.cache(cache.read_frames)
    made, pending, free = 0, missing, missing
    logged = time.monotonic()
    while pending:
        if free:
            made += len(
                _run(
                    cache,
                    free,
                    min(num_workers, len(free)),
                    progress,
                    read_frames,
                )
            )
        else:
            time.sleep(_POLL_SECONDS)
        # What is still missing is being made by others, or was left by one
        # that died meanwhile. Asked in this order, for a shard that is
        # finished in between is not to be made again.
        free = [s for s in pending if cache.is_free(s)]
        pending = [s for s in pending if not cache.is_complete(s)]
        free = sorted(set(free) & set(pending))
        if (
            pending
            and not free
            and (time.monotonic() - logged >= _LOG_SECONDS)
        ):
            logged = time.monotonic()
            print_log(
                f'Waiting for another process that makes shard '
                f'{pending[0]} ({len(pending)} missing); it holds '
                f'{cache.lock_path(pending[0]).absolute()}.',
                logger='current',
                level=logging.INFO,
            )
    return made


def _run(
    cache: Cache,
    shards: list[int],
    num_workers: int,
    progress: tqdm,
    read_frames: Callable[[], np.ndarray | None],
) -> list[int]:
    """One round over the shards; returns those made by this call."""

    def one_more() -> None:
        progress.update(min(1, progress.total - progress.n))

    if num_workers <= 1:
        return cache.build_shards(shards, one_more, read_frames)
    environment = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(p or os.getcwd() for p in sys.path),
        OMP_NUM_THREADS='1',
        MKL_NUM_THREADS='1',
    )
    lines: queue.Queue[tuple[int, str | None]] = queue.Queue()
    workers = []
    try:
        for i in range(num_workers):
            # Every worker knows all shards and begins with a share of them.
            order = shards[i::num_workers] + [
                s
                for j in range(1, num_workers)
                for s in shards[(i + j) % num_workers :: num_workers]
            ]
            worker = subprocess.Popen(
                [
                    sys.executable,
                    '-c',
                    _WORKER,
                    cache.to_json(),
                    json.dumps(order),
                ],
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stdin=subprocess.PIPE,
                cwd=Path.cwd(),
            )
            workers.append(worker)
            threading.Thread(
                target=_listen, args=(i, worker, lines), daemon=True
            ).start()
        made: list[int] = []
        running = num_workers
        while running:
            number, line = lines.get()
            if line is None:
                running -= 1
                if workers[number].wait() and running >= 0:
                    raise RuntimeError(
                        f'a process that makes synthetic people has ended '
                        f'with code {workers[number].returncode}; its '
                        f'messages are above. num_workers=1 works without '
                        f'other processes.'
                    )
            elif line == '.':
                one_more()
            else:
                report = json.loads(line)
                if 'unusable' in report:
                    raise UnusableFileError(report['unusable'])
                if 'errno' in report:
                    raise OSError(
                        report['errno'], report['strerror'], report['filename']
                    )
                made += report['made']
        return made
    finally:
        _end(workers)


def _end(workers: list[subprocess.Popen]) -> None:
    """End workers, and leave none behind."""
    for worker in workers:
        if worker.poll() is None:
            worker.terminate()
    deadline = time.monotonic() + _PATIENCE
    for worker in workers:
        try:
            worker.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        if worker.stdin is not None:
            worker.stdin.close()


def _listen(
    number: int,
    worker: subprocess.Popen,
    lines: 'queue.Queue[tuple[int, str | None]]',
) -> None:
    """Hand on what a worker writes, then None."""
    assert worker.stdout is not None
    for line in worker.stdout:
        lines.put((number, line.strip()))
    lines.put((number, None))

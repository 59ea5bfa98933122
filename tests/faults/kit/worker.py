"""Reads spoiled files in bounded memory and time: one trial per input line.

``python worker.py`` answers each line ``[kind, mutation, seed, folder]`` of
JSON with a line of JSON: null, or why the reader did not do as it should.
"""

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

import mmd2a  # noqa: E402
from kit import verdicts  # noqa: E402
from kit.kinds import KINDS, Kind  # noqa: E402
from kit.mutations import CANARY  # noqa: E402
from kit.trials import mutation_of  # noqa: E402

PACKAGE = Path(mmd2a.__file__).parent
SECONDS = 10
#: What reading one file may take beyond what the process already holds; the
#: sound files are of kilobytes.
RESIDENT = 256 * 2**20
ADDRESSES = 2 * 2**30


class TooSlow(BaseException):
    """Not an ``Exception``: no reader is to catch it."""


def stop(*_) -> None:
    raise TooSlow


def memory(key: str) -> int:
    """A line of the process' status, bytes."""
    for line in Path('/proc/self/status').read_text().splitlines():
        if line.startswith(f'{key}:'):
            return int(line.split()[1]) * 1024
    raise KeyError(key)


@cache
def sound(kind: Kind) -> tuple[Path, Path, dict]:
    """A folder with a sound file, the file in it, what is read from it."""
    folder = Path(tempfile.mkdtemp(prefix='sound_'))
    relative = kind.make(folder / 'data').relative_to(folder / 'data')
    shutil.copytree(folder / 'data', folder / 'copy')
    reference = kind.read(folder / 'copy' / relative)
    assert reference and verdicts.finite(reference), kind.name
    return folder / 'data', relative, reference


def attempt(name: str, mutation_name: str, seed: int, place: str):
    """Spoil a file, read it, judge: None, or what went wrong."""
    kind, mutation = KINDS[name], mutation_of(name, mutation_name)
    source, relative, reference = sound(kind)
    data = Path(place) / 'data'
    shutil.copytree(source, data)
    path = data / relative
    os.chdir(place)
    mutation.apply(path, np.random.default_rng(seed))
    before = memory('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')  # the peak starts anew
    addresses = memory('VmSize') + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (addresses, -1))
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    value, error = None, None
    try:
        value = kind.read(path)
    except TooSlow:
        return f'not done in {SECONDS} s'
    except Exception as caught:
        error = caught
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    if list(Path(place).rglob(CANARY)):
        return f'ran what was in the file ({error})'
    grown = memory('VmHWM') - before
    if grown > RESIDENT or isinstance(error, MemoryError):
        return f'took {grown / 2**20:.0f} MB ({error!r:.200})'
    if error is not None:
        names = (path.name, *kind.names, *mutation.names)
        why = verdicts.unclear(error, names, PACKAGE)
        if why is None and mutation.expect == 'same':
            return f'refused, but there is nothing wrong: {error}'
        return why
    if verdicts.same(value, reference):
        silent = mutation.expect == 'refused'
        return 'read as if nothing had happened' if silent else None
    if mutation.expect != 'form':
        return f'read as something else: {differing(value, reference)}'
    if not verdicts.of_the_form(value, reference):
        return f'read in another form: {differing(value, reference)}'
    return None if verdicts.finite(value) else 'read as NaN'


def differing(value: dict, reference: dict) -> str:
    """The first entry that differs."""
    for key in {**reference, **value}:
        if not verdicts.same(
            {k: v for k, v in value.items() if k == key},
            {k: v for k, v in reference.items() if k == key},
        ):
            shown = value.get(key, np.zeros(0))
            return f'{key} {shown.dtype} {shown.shape} {shown.ravel()[:3]}'
    return 'nothing'


def main() -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    signal.signal(signal.SIGALRM, stop)
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # whatever else is printed goes to the log
    for line in sys.stdin:
        answers.write(json.dumps(attempt(*json.loads(line))) + '\n')
        answers.flush()


if __name__ == '__main__':
    main()

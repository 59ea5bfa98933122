"""A process that reads spoiled files, replaced when it dies."""

import json
import os
import selectors
import subprocess
import sys
from pathlib import Path

import mmd2a

WORKER = Path(__file__).with_name('worker.py')
#: The worker stops a trial itself after 10 s; this is for what it cannot
#: stop, and for its own start.
SECONDS = 90


class Reader:
    """Hands trials to a worker, which is started when first needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen | None = None
        self._number = 0

    def attempt(self, kind: str, mutation: str, seed: int) -> str | None:
        """Run a trial: None, or what went wrong."""
        process = self._started()
        place = self.folder / f'{self._number:04d}'
        self._number += 1
        place.mkdir()
        line = json.dumps([kind, mutation, seed, str(place)])
        process.stdin.write(line + '\n')
        process.stdin.flush()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            ready = selector.select(SECONDS)
        answer = process.stdout.readline() if ready else ''
        if answer:
            return json.loads(answer)
        self.close()
        log = (self.folder / 'log').read_text(errors='replace')[-2000:]
        return f'the reader {"died" if ready else "hung"}: {log}'

    def close(self) -> None:
        """End the worker."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen:
        if self._process is None:
            self.folder.mkdir(exist_ok=True)
            root = str(Path(mmd2a.__file__).parents[1])
            with open(self.folder / 'log', 'a') as log:
                self._process = subprocess.Popen(
                    [sys.executable, str(WORKER)],
                    env=dict(
                        os.environ,
                        PYTHONPATH=root,
                        OMP_NUM_THREADS='1',
                        TMPDIR=str(self.folder),
                    ),
                    text=True,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                )
        return self._process

"""Time `mmd2a predict` on one picture, from a cold disk and from a warm one.

    python tools/benchmark/first_prediction.py [--picture FILE] [--runs 3]

Cold: every installed file is dropped from the page cache first, as after
starting the machine. Each run is a fresh process, on at most two cores.
Prints wall time, processor time (what wall time would be on a machine that
does nothing else, and less) and how many modules were imported.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_CODE = (
    'import sys\n'
    'from mmd2a.cli.main import main\n'
    'try:\n'
    '    main(sys.argv[1:])\n'
    'finally:\n'
    '    print(len(sys.modules), file=sys.stderr)\n'
)


def drop_from_page_cache(folder: Path) -> None:
    """Have the files below a folder read from the disk when next used."""
    for path in folder.rglob('*'):
        if path.is_file():
            descriptor = os.open(path, os.O_RDONLY)
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(descriptor)


def run(picture: Path) -> tuple[float, float, int]:
    """Wall and processor seconds of a prediction, and its modules."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, '-c', _CODE, 'predict', picture, '--out', folder],
            env={**os.environ, 'OMP_NUM_THREADS': '2'},
            check=True,
            capture_output=True,
            text=True,
        )
        written = sorted(path.suffix for path in Path(folder).iterdir())
    assert written == ['.glb', '.jpg', '.json', '.npz'], written
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, used, int(done.stderr.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--picture',
        type=Path,
        default=ROOT / 'docs' / 'images' / 'balancing.jpg',
    )
    parser.add_argument('--runs', type=int, default=3)
    args = parser.parse_args()
    if hasattr(os, 'sched_setaffinity'):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    print(f'load before: {os.getloadavg()[0]:.1f} processes')
    for name in ('cold', 'warm'):
        rows = []
        for _ in range(args.runs):
            if name == 'cold':
                drop_from_page_cache(Path(sysconfig.get_path('purelib')))
                drop_from_page_cache(ROOT / 'mmd2a')
            rows.append(run(args.picture))
        walls, used, modules = zip(*rows)
        print(
            f'{name}  {statistics.median(walls):5.1f} s '
            f'({min(walls):.1f} to {max(walls):.1f}), processor '
            f'{statistics.median(used):.1f} s, {modules[0]} modules'
        )


if __name__ == '__main__':
    main()

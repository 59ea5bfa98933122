"""Time `import mmd2a` against `import mmengine`, each in fresh processes.

    python tools/benchmark/import_time.py [--runs 9]

Prints the median of each and the ratio of pairs run one after the other.
"""

import argparse
import statistics
import subprocess
import sys
import time


def seconds(module: str) -> float:
    """Wall time of a process that imports ``module``."""
    start = time.perf_counter()
    subprocess.run([sys.executable, '-c', f'import {module}'], check=True)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--runs', type=int, default=9)
    runs = parser.parse_args().runs
    seconds('mmd2a')  # files into the page cache
    pairs = [(seconds('mmd2a'), seconds('mmengine')) for _ in range(runs)]
    ours, theirs = (statistics.median(column) for column in zip(*pairs))
    ratios = sorted(a / b for a, b in pairs)
    print(f'import mmd2a    {ours:.3f} s (median of {runs})')
    print(f'import mmengine {theirs:.3f} s')
    print(
        f'ratio           {statistics.median(ratios):.2f} '
        f'({ratios[0]:.2f} to {ratios[-1]:.2f})'
    )


if __name__ == '__main__':
    main()

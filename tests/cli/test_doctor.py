"""The report for bug reports says what is there and what stands in."""

import subprocess
import sys


def test_the_report_names_versions_and_stand_ins():
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', '-m', 'mmd2a.cli.doctor'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in (
        'PyTorch: ',
        'MMEngine: ',
        'mmd2a: ',
        'numpy: ',
        'mmd2a.interop, mmcv operators: ',
        'mmd2a.interop, config names: active',
    ):
        assert f'\n{line}' in out

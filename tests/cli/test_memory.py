"""Memory that serves one training step after the other."""

import os
import subprocess
import sys

import pytest

CODE = """
import resource, sys
if sys.argv[1] == 'keep':
    from mmd2a.cli.memory import keep_memory
    keep_memory()
import torch
def step():
    return [torch.ones(2_500_000) for _ in range(8)]
for _ in range(3):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str, **environment: str) -> int:
    """Pages that a step asks the system for, after three others."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(('MALLOC_', 'THP_'))
    }
    done = subprocess.run(
        [sys.executable, '-c', CODE, how],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(
    not hasattr(os, 'confstr')
    or 'CS_GNU_LIBC_VERSION' not in os.confstr_names,
    reason='a setting of glibc',
)
def test_a_step_takes_the_memory_of_the_one_before():
    without = faults('leave', MALLOC_MMAP_THRESHOLD_='1000000')
    assert without > 1000
    assert faults('keep') < without / 100


def test_what_the_user_set_about_memory_stays():
    assert faults('keep', MALLOC_MMAP_THRESHOLD_='1000000') > 100

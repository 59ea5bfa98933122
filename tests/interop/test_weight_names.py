"""``mmd2a://`` costs MMEngine one scheme, whoever is imported first."""

import subprocess
import sys

import pytest

PROBE = """
{first}
import mmd2a
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint
import torch
try:
    load_checkpoint(torch.nn.Linear(1, 1), 'mmd2a://nothing')
except Exception as error:
    print(type(error).__name__, error)
print(sorted(p for p in CheckpointLoader._schemes if 'mmd2a' in p))
"""


@pytest.mark.parametrize('first', ['', 'import mmengine.runner'])
def test_mmengine_knows_the_names_once_the_package_is_imported(first):
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', PROBE.format(first=first)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert out[-2].startswith('CheckpointError there are no weights mmd2a://')
    assert out[-1] == "['mmd2a://']"

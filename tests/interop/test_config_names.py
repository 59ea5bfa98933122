"""``mmd2a::`` names cost MMEngine one entry of one table."""

import subprocess
import sys

from mmengine.config import utils

from mmd2a.interop import config_names

PROBE = """
import copy
from mmengine.config import utils
before = copy.copy(vars(utils)), dict(utils.MODULE2PACKAGE)
import mmd2a
import mmd2a.registry
assert vars(utils) == before[0]
print(dict(utils.MODULE2PACKAGE.items() - before[1].items()))
"""


def test_importing_the_package_adds_one_entry_and_nothing_else():
    out = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', PROBE],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out == "{'mmd2a': 'mmd2a.registry'}\n"


def test_an_mmengine_that_knows_the_package_is_left_alone(monkeypatch):
    monkeypatch.setitem(utils.MODULE2PACKAGE, 'mmd2a', 'mmd2a')
    config_names.activate()
    assert utils.MODULE2PACKAGE['mmd2a'] == 'mmd2a'
    assert config_names.describe().startswith('inert')

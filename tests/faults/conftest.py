"""Files are spoiled and read in a process of its own."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit.pool import Reader  # noqa: E402


@pytest.fixture(scope='session')
def reader(tmp_path_factory):
    """A process that reads spoiled files."""
    reader = Reader(tmp_path_factory.mktemp('spoiled'))
    yield reader
    reader.close()

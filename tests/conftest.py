"""Fixtures shared by all tests."""

import os

import pytest
import torch

# The suite runs on small machines, often next to other work.
torch.set_num_threads(int(os.environ.get('OMP_NUM_THREADS', '2')))


@pytest.fixture(scope='session')
def body():
    """The embedded, licence-free body."""
    from mmd2a.body_models import SMPLBodyModel

    return SMPLBodyModel()

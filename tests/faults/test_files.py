"""Spoiled files of every kind: a right result, or a clear refusal.

What counts as one is in ``kit/verdicts.py``. A single trial of the slow test
is repeated by ``-k 'body and bit_flipped and 3'``.
"""

import pytest
from kit.trials import all_trials, fast_trials


def named(trials):
    return [
        pytest.param(*trial, id='-'.join(map(str, trial)).replace(' ', '_'))
        for trial in trials
    ]


def test_there_are_enough_trials():
    assert len(fast_trials()) >= 60
    assert len(all_trials()) >= 500
    assert set(fast_trials()) <= set(all_trials())


@pytest.mark.parametrize('kind, mutation, seed', named(fast_trials()))
def test_a_spoiled_file(reader, kind, mutation, seed):
    assert reader.attempt(kind, mutation, seed) is None


@pytest.mark.slow
@pytest.mark.parametrize('kind, mutation, seed', named(all_trials()))
def test_every_spoiled_file(reader, kind, mutation, seed):
    assert reader.attempt(kind, mutation, seed) is None

"""Values survive the way through a checkpoint."""

from collections import OrderedDict
from enum import Enum
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer
from torch import nn

from mmd2a.engine.plain_values import make_plain, restore_values


class Colour(Enum):
    RED = 'red'


def through_a_file(checkpoint, folder):
    make_plain(checkpoint)
    torch.save(checkpoint, folder / 'c.pth')
    loaded = torch.load(folder / 'c.pth', weights_only=True)
    restore_values(loaded)
    return loaded


@pytest.mark.parametrize(
    'value, plain',
    [
        (np.float64(0.5), 0.5),
        (np.int8(3), 3),
        (np.bool_(True), True),
        (np.str_('a'), 'a'),
        (Path('a/b'), 'a/b'),
        (Colour.RED, 'red'),
        ((1, [2]), (1, [2])),
        ({1, 2}, {1, 2}),
        (frozenset({1}), {1}),
        (ConfigDict(a=dict(b=1)), dict(a=dict(b=1))),
        ({np.int64(1): 2}, {1: 2}),
        (np.array(['a', 'b']), ['a', 'b']),
        (2**70, 2**70),
        (None, None),
    ],
)
def test_values_take_a_plain_form(tmp_path, value, plain):
    loaded = through_a_file(dict(meta=dict(value=value)), tmp_path)
    assert loaded['meta']['value'] == plain
    assert type(loaded['meta']['value']) is type(plain)


@pytest.mark.parametrize(
    'dtype',
    [
        'bool',
        'uint8',
        'int32',
        'int64',
        'float16',
        'float32',
        'float64',
        'complex64',
        'uint16',
    ],
)
def test_arrays_in_the_description_stay_arrays(tmp_path, dtype):
    array = np.arange(6).reshape(2, 3)[:, ::-1].astype(dtype)
    loaded = through_a_file(dict(meta=dict(a=[array])), tmp_path)
    assert loaded['meta']['a'][0].dtype == dtype
    np.testing.assert_array_equal(loaded['meta']['a'][0], array)


@given(st.lists(st.tuples(st.floats(), st.integers(0, 9)), max_size=4))
@settings(max_examples=20, deadline=None)
def test_the_log_history_is_kept(pairs):
    logs, counts = ([p[i] for p in pairs] for i in (0, 1))
    checkpoint = dict(
        message_hub=dict(
            log_scalars=dict(loss=HistoryBuffer(logs, counts, 3 + len(logs))),
            runtime_info={},
            resumed_keys={},
        )
    )
    make_plain(checkpoint)
    restore_values(checkpoint)
    history = checkpoint['message_hub']['log_scalars']['loss']
    np.testing.assert_array_equal(history.data[0], logs)
    np.testing.assert_array_equal(history.data[1], counts)
    assert history.max_length == 3 + len(logs)


def test_a_state_dict_keeps_its_versions(tmp_path):
    state = nn.BatchNorm1d(2).state_dict()
    loaded = through_a_file(dict(state_dict=state), tmp_path)['state_dict']
    assert type(loaded) is OrderedDict
    assert loaded._metadata == state._metadata
    assert list(loaded) == list(state)


def test_what_the_run_still_uses_is_not_touched():
    shared = dict(sigmas=np.ones(2), names=['a'])
    make_plain(dict(meta=dict(dataset_meta=shared)))
    assert isinstance(shared['sigmas'], np.ndarray)


def test_only_the_unfit_entry_is_left_out():
    checkpoint = dict(meta=dict(good=1, bad=len, deep=dict(good=2, bad=len)))
    left_out = make_plain(checkpoint)
    assert len(left_out) == 2
    assert checkpoint['meta'] == dict(
        good=1, deep=dict(good=2), plain_values=True
    )


def test_foreign_checkpoints_are_left_as_they_are():
    checkpoint = dict(meta=dict(a=torch.ones(1)))
    restore_values(checkpoint)
    assert isinstance(checkpoint['meta']['a'], torch.Tensor)

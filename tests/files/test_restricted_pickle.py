"""Pickles of arrays are read; what could run code is refused by name."""

import io
import os
import pickle
import pickletools
import sys
from collections import OrderedDict, defaultdict
from types import ModuleType

import numpy as np
import pytest
from scipy import sparse

from mmd2a.files.restricted_pickle import RefusedPickleError, load, loads


def same(one, other):
    if sparse.issparse(one):
        return type(one) is type(other) and (one != other).nnz == 0
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return one == other


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    'value',
    [
        np.arange(6, dtype=np.uint32).reshape(2, 3),
        np.asfortranarray(np.eye(3)),
        np.array(['a', {'b': [1, (2.0,)]}, None], dtype=object),
        np.zeros(2, dtype=[('a', 'f4'), ('b', 'i2')]),
        np.array([b'x', b'yz']),
        np.float32(3.5),
        np.datetime64('2020-01-01'),
        OrderedDict(a=1, b={2, 3}),
        defaultdict(list, a=[1]),
        [b'bytes', bytearray(b'more'), 1j, True, 2**70, 'text'],
        sparse.csc_matrix(np.eye(3)),
        sparse.csc_matrix(np.eye(3)).tocoo(),
        sparse.csr_array(np.eye(2)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_data_come_back_as_they_are(value, protocol):
    assert same(value, loads(pickle.dumps(value, protocol)))


def test_pickles_of_python_2_are_read():
    # protocol 2, `numpy.core.multiarray`, bytes as str: an SMPL file's kind
    pickled = (
        b'\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x00cnumpy\nndarray\n'
        b'q\x01K\x00\x85q\x02U\x01bq\x03\x87q\x04Rq\x05(K\x01K\x02\x85cnumpy\n'
        b'dtype\nq\x06U\x02f4K\x00K\x01\x87q\x07Rq\x08(K\x03U\x01<NNNJ\xff\xff'
        b'\xff\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08\x00\x00\x80?\x00\x00\x00@t'
        b'b.'
    )
    assert loads(pickled, encoding='latin1').tolist() == [1.0, 2.0]
    assert pickle.loads(pickled, encoding='latin1').tolist() == [1.0, 2.0]


class Runs:
    """Would make a folder."""

    def __init__(self, function, *args):
        self.recipe = function, args

    def __reduce__(self):
        return self.recipe


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    'wrap', [lambda x: x, lambda x: [{'a': (x,)}], lambda x: np.array([x, 1])]
)
def test_what_runs_code_is_refused_and_not_run(tmp_path, wrap, protocol):
    folder = tmp_path / 'made'
    hostile = wrap(Runs(os.mkdir, str(folder)))
    path = tmp_path / 'hostile.pkl'
    path.write_bytes(pickle.dumps(hostile, protocol))
    with pytest.raises(RefusedPickleError) as error, path.open('rb') as file:
        load(file)
    assert f'asks for {os.mkdir.__module__}.mkdir' in str(error.value)
    assert str(path) in str(error.value) and '\n' not in str(error.value)
    assert not folder.exists()


@pytest.mark.parametrize(
    'recipe',
    [
        (eval, '1'),
        (getattr, 'text', 'format'),
        (__import__, 'os'),
        (np.load, 'a.npy'),
        (np.fromfile, 'a'),
        (bytes, 10**12),
        (bytearray, 10**12),
        (list, range(10**12)),
        (np.ndarray, (10**15,)),
        (np.core.multiarray._reconstruct, np.ndarray, (10**12,), b'b'),
    ],
    ids=lambda recipe: recipe[0].__name__,
)
def test_neither_functions_nor_floods_of_memory(recipe):
    with pytest.raises(RefusedPickleError):
        loads(pickle.dumps(Runs(*recipe)))


def test_a_class_is_not_changed():
    # PROTO 2, GLOBAL csc_matrix, (None, {'evil': 1}), BUILD
    pickled = (
        b'\x80\x02cscipy.sparse\ncsc_matrix\nN}X\x04\x00\x00\x00evilK\x01s\x86'
        b'b.'
    )
    pickletools.dis(pickled, out=io.StringIO())
    with pytest.raises(RefusedPickleError, match='changes'):
        loads(pickled)
    assert not hasattr(sparse.csc_matrix, 'evil')


def test_indices_outside_a_matrix_are_refused():
    matrix = sparse.csc_matrix(np.eye(3))
    matrix.indices[0] = 10**6
    with pytest.raises(RefusedPickleError, match='damaged'):
        loads(pickle.dumps(matrix))


@pytest.mark.parametrize('cut', [1, 10, -1])
def test_a_damaged_pickle_is_said_to_be_one(cut):
    whole = pickle.dumps(np.arange(100.0))
    with pytest.raises((RefusedPickleError, EOFError)):
        loads(whole[:cut])
    with pytest.raises(EOFError):
        loads(b'')
    with pytest.raises(RefusedPickleError, match='damaged, or none'):
        loads(b'no pickle at all')


class Ch:
    """Pickles as chumpy 0.70 does, which is not needed to read it."""

    __module__ = 'chumpy.ch'

    def __init__(self, **state):
        vars(self).update(state, _dirty_vars=set(), _itr=None)


class Select(Ch):
    __module__ = 'chumpy.reordering'


class MatVecMult(Ch):
    __module__ = 'chumpy.ch_ops'


@pytest.fixture
def chumpy(monkeypatch):
    """Modules that lend their names to the classes here, for pickling."""
    monkeypatch.setitem(sys.modules, 'chumpy', ModuleType('chumpy'))
    for kind in (Ch, Select, MatVecMult):
        module = ModuleType(kind.__module__)
        setattr(module, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, kind.__module__, module)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_chumpy_arrays_and_selections_are_read_as_arrays(chumpy, protocol):
    numbers = np.arange(12.0).reshape(3, 4)
    whole = Ch(x=numbers)
    some = Select(a=whole, idxs=np.array([7, 0, 5, 2]), preferred_shape=(2, 2))
    flat = Select(a=some, idxs=np.array([3, 0]))
    pickled = pickle.dumps(dict(a=whole, b=some, c=flat, d=whole), protocol)
    read = loads(pickled)
    assert all(type(value) is np.ndarray for value in read.values())
    np.testing.assert_array_equal(read['a'], numbers)
    np.testing.assert_array_equal(read['b'], [[7, 0], [5, 2]])
    np.testing.assert_array_equal(read['c'], [2, 7])
    assert read['d'] is read['a']


def test_what_chumpy_computes_is_told_what_helps(chumpy):
    product = pickle.dumps(MatVecMult(mtx=np.eye(2), vec=np.ones(2)))
    with pytest.raises(RefusedPickleError, match='ch_ops.MatVec.*clean_ch'):
        loads(product)
    outside = Select(a=Ch(x=np.ones(3)), idxs=np.array([3]))
    with pytest.raises(RefusedPickleError, match='out of bounds'):
        loads(pickle.dumps(outside))

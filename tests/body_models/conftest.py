"""Stand-ins of the official files of licensed bodies, in their layout."""

import pickle
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy import sparse


class Ch:
    """Pickles as chumpy 0.70 does, which is not needed to read it."""

    __module__ = 'chumpy.ch'

    def __init__(self, **state):
        vars(self).update(state, _dirty_vars=set(), _itr=None)


class Select(Ch):
    """A selection of elements, likewise."""

    __module__ = 'chumpy.reordering'


@pytest.fixture
def chumpy(monkeypatch):
    """Modules that lend their names to the classes here, for pickling."""
    monkeypatch.setitem(sys.modules, 'chumpy', ModuleType('chumpy'))
    for kind in (Ch, Select):
        module = ModuleType(kind.__module__)
        setattr(module, kind.__name__, kind)
        monkeypatch.setitem(sys.modules, kind.__module__, module)


@pytest.fixture
def official_file(tmp_path, chumpy):
    """``official_file(name, arrays) -> path`` as that release has it.

    * ``.npz``: arrays, and dicts in arrays of objects;
    * ``.pkl`` of SMPL: chumpy objects and a sparse regressor, protocol 2.
    """

    def write(name, arrays):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == '.npz':
            np.savez(path, **arrays)
            return path
        content = dict(
            arrays,
            J_regressor=sparse.csc_matrix(arrays['J_regressor']),
            v_template=Ch(x=arrays['v_template']),
            shapedirs=_selection(arrays['shapedirs']),
            pose_training_info=dict(name='caesar', sigma=np.float64(1.5)),
        )
        path.write_bytes(pickle.dumps(content, 2))
        return path

    return write


def _selection(directions):
    """The directions, as those of a larger model that some were kept of."""
    more = np.concatenate([directions, directions[..., :2] + 1], -1)
    places = np.arange(more.size).reshape(more.shape)[..., :-2]
    return Select(
        a=Ch(x=more), idxs=places.ravel(), preferred_shape=directions.shape
    )

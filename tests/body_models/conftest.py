"""Stand-ins of the official files of licensed bodies, in their layout."""

import pickle
import sys
from types import ModuleType

import numpy as np
import pytest
from scipy import sparse

from mmd2a.body_models.families import family_of


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


def some_rows(generator, rows, columns, sharpness):
    values = generator.random((rows, columns)) ** sharpness
    return values / values.sum(1, keepdims=True)


def official_arrays(model_type, num_vertices=300, num_shape=None, seed=0):
    """A random body in the layout of the official file, float64."""
    family = family_of(model_type)
    joints, generator = family.num_joints, np.random.default_rng(seed)
    number = num_shape or dict(smpl=300, smplh=16, smplx=400)[model_type]
    parents = np.array(family.parents, np.int64)
    parents[0] = 2**32 - 1
    arrays = dict(
        v_template=generator.random((num_vertices, 3)) - 0.5,
        f=generator.integers(0, num_vertices, (500, 3)).astype(np.uint32),
        shapedirs=0.01 * generator.normal(size=(num_vertices, 3, number)),
        posedirs=0.001
        * generator.normal(size=(num_vertices, 3, 9 * (joints - 1))),
        J_regressor=some_rows(generator, joints, num_vertices, 20),
        weights=some_rows(generator, num_vertices, joints, 8),
        kintree_table=np.stack([parents, np.arange(joints)]).astype(np.uint32),
        J=np.zeros((joints, 3)),
        bs_style='lbs',
        bs_type='lrotmin',
    )
    if family.has_hands:
        for side in 'lr':
            turn = np.linalg.qr(generator.normal(size=(45, 45)))[0]
            arrays[f'hands_components{side}'] = turn
            arrays[f'hands_mean{side}'] = 0.2 * generator.normal(size=45)
            arrays[f'hands_coeffs{side}'] = np.zeros((1554, 45))
    if family.has_expression:
        arrays.update(
            lmk_faces_idx=generator.integers(0, 500, 51),
            lmk_bary_coords=np.full((51, 3), 1 / 3),
            joint2num=np.array(dict(Pelvis=0), object),
            part2num=np.array(dict(head=0), object),
        )
    return arrays


@pytest.fixture
def official():
    """``official(model_type, ...) -> arrays``."""
    return official_arrays


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

"""Files that MMHuman3D reads run nothing, and good ones read as ever."""

import io
import os
import pickle

import numpy as np
import pytest
import torch

import mmd2a  # noqa: F401  (activates the bridge)

pytest.importorskip('mmhuman3d')
pytest.importorskip('smplx')

from mmd2a.files.restricted_pickle import RefusedPickleError
from mmd2a.interop.mmhuman3d.importing.restricted_readers import (
    load_arrays,
    restricted_view,
)
from mmd2a.interop.mmhuman3d.importing.scoped_import import scoped_import


class Runs:
    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


@pytest.fixture
def hostile(tmp_path):
    """``hostile(kind) -> path``; nothing may have been made in the end."""
    runs = Runs(tmp_path / 'made')

    def write(kind):
        path = tmp_path / f'hostile.{kind}'
        if kind == 'npz':
            np.savez(path, image_path=np.array([runs, 'a.jpg'], object))
        elif kind == 'npy':
            np.save(path, np.array([runs], object))
        else:
            path.write_bytes(pickle.dumps(dict(v_template=runs)))
        return str(path)

    yield write
    assert not (tmp_path / 'made').exists()


def of_human_data(path):
    from mmhuman3d.data.data_structures.human_data import HumanData

    return HumanData.fromfile(path)


def of_smpl(path):
    from mmhuman3d.models.body_models.smpl import SMPL

    return SMPL(model_path=path)


def of_prior(path):
    from mmhuman3d.models.losses.prior_loss import MaxMixturePrior

    folder, name = os.path.split(path)
    os.rename(path, f'{folder}/gmm_08.pkl')
    return MaxMixturePrior(prior_folder=folder)


def of_occluders(path):
    from mmhuman3d.data.datasets.pipelines import (
        synthetic_occlusion_augmentation as module,
    )

    return module.load_pascal_occluders(path)


def of_dumped_human_data(path):
    from mmhuman3d.data.data_structures.human_data import HumanData

    return HumanData().load_by_pickle(path)


def of_mmcv(path):
    return scoped_import('mmcv').load(path)


def of_torch(path):
    return scoped_import('torch').load(path, weights_only=False)


@pytest.mark.parametrize(
    ('read', 'kind'),
    [
        (of_human_data, 'npz'),
        (of_dumped_human_data, 'pkl'),
        (of_smpl, 'pkl'),
        (of_prior, 'pkl'),
        (of_occluders, 'npy'),
        (of_mmcv, 'pkl'),
    ],
)
def test_a_file_that_runs_code_is_refused_by_name(read, kind, hostile):
    with pytest.raises(RefusedPickleError) as error:
        read(hostile(kind))
    text = str(error.value)
    assert f'{os.mkdir.__module__}.mkdir' in text and '\n' not in text
    assert '.pkl' in text or '.np' in text


def test_checkpoints_are_read_as_by_the_engine(tmp_path, hostile):
    path = tmp_path / 'a.pth'
    torch.save(dict(state_dict=dict(a=torch.ones(2)), n=np.float64(1)), path)
    assert of_torch(str(path))['n'] == 1
    torch.save(dict(a=Runs(tmp_path / 'made')), path)
    with pytest.raises(Exception, match='mkdir'):
        of_torch(str(path))


def test_arrays_are_read_as_numpy_reads_them(tmp_path):
    names = np.array(['a', None, {'b': np.arange(2)}], object)
    np.savez(tmp_path / 'a.npz', names=names, numbers=np.eye(2))
    with load_arrays(tmp_path / 'a.npz', allow_pickle=True) as archive:
        assert sorted(archive.files) == ['names', 'numbers']
        assert dict(archive)['numbers'].tolist() == np.eye(2).tolist()
        assert archive['names.npy'][2]['b'].tolist() == [0, 1]
        assert 'other' not in archive
        with pytest.raises(KeyError):
            archive['other']
    np.save(tmp_path / 'a.npy', names.reshape(3, 1))
    assert load_arrays(tmp_path / 'a.npy', allow_pickle=True).shape == (3, 1)
    with pytest.raises(ValueError, match='allow_pickle'):
        load_arrays(tmp_path / 'a.npy')
    np.save(tmp_path / 'b.npy', np.eye(2))
    mapped = load_arrays(str(tmp_path / 'b.npy'), 'r', allow_pickle=True)
    assert isinstance(mapped, np.memmap)
    pickled = io.BytesIO(pickle.dumps([1, 2]))
    assert load_arrays(pickled, allow_pickle=True) == [1, 2]


def test_views_are_the_libraries_but_for_that():
    for name in ('numpy', 'torch', 'pickle'):
        real, view = __import__(name), restricted_view(name)
        assert scoped_import(name) is view and view is not real
        assert view.__name__ == name and dir(view)
        # One made now: torch replaces names when it first compiles.
        fresh = restricted_view.__wrapped__(name)
        different = {
            key
            for key, value in vars(real).items()
            if getattr(fresh, key) is not value
        }
        assert different <= {'load', 'loads', 'Unpickler'}
    assert scoped_import('numpy.linalg').load is load_arrays
    assert scoped_import('numpy.linalg', None, None, ['norm']) is np.linalg


def test_smplx_itself_stays_as_it_is():
    import smplx
    from mmhuman3d.models.body_models import smpl

    assert smplx.body_models.pickle is pickle
    base = smpl.SMPL.__mro__[1]
    assert base.__name__ == 'SMPL' and base is not smplx.SMPL
    assert base.__module__.endswith('restricted_smplx.body_models')


def test_modules_with_these_views_compile():
    from mmhuman3d.utils.geometry import rot6d_to_rotmat

    points = torch.randn(4, 6)
    compiled = torch.compile(rot6d_to_rotmat, backend='eager', fullgraph=True)
    torch.testing.assert_close(compiled(points), rot6d_to_rotmat(points))

"""A user's own body file: taken as it is, or refused with the way out."""

import pickle

import numpy as np
import pytest
import torch

from mmd2a.body_models import BodyFileError, SMPLBodyModel, load_embedded_body
from mmd2a.body_models.locating import BODY_MODEL_DIR

SMPL_KEYS = (
    'v_template',
    'f',
    'shapedirs',
    'posedirs',
    'J_regressor',
    'weights',
    'kintree_table',
)


@pytest.fixture
def arrays() -> dict:
    """A small body with the keys of a converted SMPL file, no more."""
    generator = np.random.default_rng(0)
    weights = generator.random((50, 24))
    regressor = generator.random((24, 50))
    parents = load_embedded_body()['kintree_table'][0].astype(np.uint32)
    return dict(
        v_template=generator.random((50, 3)),
        f=generator.integers(0, 50, (80, 3)).astype(np.uint32),
        shapedirs=generator.random((50, 3, 300)),
        posedirs=generator.random((50, 3, 207)),
        J_regressor=regressor / regressor.sum(1, keepdims=True),
        weights=weights / weights.sum(1, keepdims=True),
        kintree_table=np.stack([parents, np.arange(24, dtype=np.uint32)]),
    )


def save(path, arrays) -> str:
    np.savez(path, **arrays)
    return str(path)


def test_a_converted_smpl_file_loads(arrays, tmp_path):
    body = SMPLBodyModel(save(tmp_path / 'SMPL_NEUTRAL.npz', arrays))
    assert body.num_vertices == 50
    assert body.joint_sets == ('smpl24',)
    out = body(torch.zeros(1, 3), torch.zeros(1, 69), torch.ones(1, 10))
    expected = arrays['v_template'] + arrays['shapedirs'][..., :10].sum(-1)
    np.testing.assert_allclose(out.vertices[0], expected, atol=1e-5)


def test_the_embedded_body_survives_the_trip_through_a_file(body, tmp_path):
    stored = {k: v for k, v in load_embedded_body().items() if k in SMPL_KEYS}
    other = SMPLBodyModel(save(tmp_path / 'body.npz', stored))
    pose = torch.full((1, 69), 0.1)
    inputs = (torch.zeros(1, 3), pose, torch.ones(1, 10))
    torch.testing.assert_close(other(*inputs).vertices, body(*inputs).vertices)


def test_regressors_come_from_the_file_or_beside_it(arrays, tmp_path):
    plain = SMPLBodyModel(save(tmp_path / 'plain.npz', arrays))
    with pytest.raises(KeyError, match=r'h36m14.*joint_regressors=dict'):
        plain.regress_joints(plain.v_template[None], 'h36m14')
    matrix = np.full((14, 50), 1 / 50)
    np.save(tmp_path / 'h36m.npy', matrix)
    beside = SMPLBodyModel(
        str(tmp_path / 'plain.npz'),
        joint_regressors=dict(h36m14=tmp_path / 'h36m.npy'),
    )
    inside = SMPLBodyModel(
        save(tmp_path / 'rich.npz', dict(arrays, h36m14_regressor=matrix))
    )
    for body in (beside, inside):
        joints = body.regress_joints(body.v_template[None], 'h36m14')
        torch.testing.assert_close(
            joints[0, 0], body.v_template.mean(0), atol=1e-6, rtol=1e-5
        )
    np.save(tmp_path / 'h36m.npy', np.zeros((15, 50)))
    with pytest.raises(BodyFileError, match=r'\(15, 50\).*\(14, 50\)'):
        SMPLBodyModel(
            str(tmp_path / 'plain.npz'),
            joint_regressors=dict(h36m14=tmp_path / 'h36m.npy'),
        )
    with pytest.raises(FileNotFoundError, match=r'\(14, 50\)'):
        SMPLBodyModel(
            str(tmp_path / 'plain.npz'),
            joint_regressors=dict(h36m14='nowhere.npy'),
        )


def test_a_missing_file_says_what_where_and_how(tmp_path, monkeypatch):
    folder = tmp_path / 'bodies'
    monkeypatch.delenv(BODY_MODEL_DIR, raising=False)
    with pytest.raises(FileNotFoundError, match=f'{BODY_MODEL_DIR} .not set'):
        SMPLBodyModel('SMPL_NEUTRAL.npz')
    folder.mkdir()
    (folder / 'SMPL_MALE.pkl').touch()
    monkeypatch.setenv(BODY_MODEL_DIR, str(folder))
    with pytest.raises(FileNotFoundError) as error:
        SMPLBodyModel(model_type='smpl')
    text = str(error.value)
    for part in (
        f'{folder}/SMPL_NEUTRAL.npz (the folder exists, the file does not)',
        f'{folder}/smplx/SMPL_NEUTRAL.npz (the folder does not exist either)',
        'https://smpl.is.tue.mpg.de',
        'https://smpl-x.is.tue.mpg.de',
        'SMPLX_NEUTRAL.npz',
        f'python tools/body/convert_smpl.py {folder}/SMPL_MALE.pkl --out',
        f'set {BODY_MODEL_DIR}=FOLDER',
        'path=None',
    ):
        assert part in text
    with pytest.raises(FileNotFoundError, match='folder does not exist'):
        SMPLBodyModel(str(tmp_path / 'models' / 'SMPL_NEUTRAL.npz'))
    with pytest.raises(FileNotFoundError, match='this is a folder'):
        SMPLBodyModel(str(tmp_path))


@pytest.mark.parametrize('below', ['', 'smplx'])
def test_bodies_are_found_by_kind_and_gender(
    official, tmp_path, monkeypatch, below
):
    arrays = official('smplx', num_shape=20)
    (tmp_path / below).mkdir(exist_ok=True)
    path = save(tmp_path / below / 'SMPLX_FEMALE.npz', arrays)
    monkeypatch.setenv(BODY_MODEL_DIR, str(tmp_path))
    body = SMPLBodyModel(model_type='smplx', gender='female')
    assert body.path == SMPLBodyModel('SMPLX_FEMALE.npz').path == path
    with pytest.raises(ValueError, match='both name a body'):
        SMPLBodyModel(path, model_type='smplx')
    with pytest.raises(ValueError, match="gender must be 'neutral', 'male'"):
        SMPLBodyModel(model_type='smplx', gender='f')
    with pytest.raises(ValueError, match='one of smpl, smplh, smplx'):
        SMPLBodyModel(model_type='star')


def test_regressors_are_found_in_the_folder(arrays, tmp_path, monkeypatch):
    monkeypatch.setenv(BODY_MODEL_DIR, str(tmp_path))
    generator = np.random.default_rng(1)
    rows = generator.random((17, 50))
    rows /= rows.sum(1, keepdims=True)
    np.save(tmp_path / 'J_regressor_h36m.npy', rows)
    np.save(tmp_path / 'J_regressor_extra.npy', rows[:9])
    body = SMPLBodyModel(save(tmp_path / 'SMPL_NEUTRAL.npz', arrays))
    assert body.joint_sets == ('smpl24', 'h36m14', 'smpl_extra9')
    mesh = body.v_template[None]
    # What SPIN takes of the 17, in the order of LSP.
    taken = rows[[6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10]]
    np.testing.assert_allclose(
        body.regress_joints(mesh, 'h36m14')[0],
        taken @ arrays['v_template'],
        atol=1e-6,
    )
    assert body.joint_names('smpl_extra9')[4] == 'pelvis_extra'
    # Those of another body, and the embedded body, are left alone.
    np.save(tmp_path / 'J_regressor_h36m.npy', np.full((17, 60), 1 / 60))
    assert SMPLBodyModel('SMPL_NEUTRAL.npz').joint_sets == (
        'smpl24',
        'smpl_extra9',
    )
    assert SMPLBodyModel().joint_sets == ('smpl24', 'h36m14', 'coco17')


def test_a_pickled_file_is_not_opened(tmp_path):
    class Boom:
        def __reduce__(self):
            return (open, (str(tmp_path / 'ran'), 'w'))

    path = tmp_path / 'SMPL_NEUTRAL.pkl'
    path.write_bytes(pickle.dumps(Boom()))
    with pytest.raises(BodyFileError, match=f'convert_smpl.py {path}'):
        SMPLBodyModel(str(path))
    assert not (tmp_path / 'ran').exists()


def test_pickled_arrays_inside_an_npz_are_refused(arrays, tmp_path):
    arrays['J_regressor'] = np.array([{'sparse': 1}], dtype=object)
    with pytest.raises(BodyFileError, match='pickled objects'):
        SMPLBodyModel(save(tmp_path / 'body.npz', arrays))


def test_a_truncated_file_is_reported(arrays, tmp_path):
    path = tmp_path / 'body.npz'
    save(path, arrays)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BodyFileError, match='broken download'):
        SMPLBodyModel(str(path))


def test_missing_keys_are_named(arrays, tmp_path):
    del arrays['posedirs'], arrays['weights']
    with pytest.raises(BodyFileError, match='lacks posedirs, weights'):
        SMPLBodyModel(save(tmp_path / 'body.npz', arrays))


@pytest.mark.parametrize(
    'key, shape',
    [
        ('v_template', (50, 2)),
        ('shapedirs', (49, 3, 10)),
        ('posedirs', (207, 150)),
        ('weights', (50, 52)),
        ('J_regressor', (24, 6890)),
        ('kintree_table', (2, 52)),
    ],
)
def test_wrong_shapes_are_named(arrays, tmp_path, key, shape):
    arrays[key] = np.ones(shape)
    with pytest.raises(BodyFileError, match=f'{key} of .* has shape'):
        SMPLBodyModel(save(tmp_path / 'body.npz', arrays))


def test_other_trees_and_wild_faces_are_refused(arrays, tmp_path):
    wild = dict(arrays, f=np.full((80, 3), 50))
    with pytest.raises(BodyFileError, match='outside its 50 vertices'):
        SMPLBodyModel(save(tmp_path / 'faces.npz', wild))
    arrays['kintree_table'][0, 5] = 1
    with pytest.raises(BodyFileError, match='tree of SMPL'):
        SMPLBodyModel(save(tmp_path / 'tree.npz', arrays))


def test_bodies_of_no_known_kind_are_refused(arrays, official, tmp_path):
    hand = dict(
        arrays, J_regressor=np.ones((16, 50)), weights=np.ones((50, 16))
    )
    with pytest.raises(BodyFileError, match='of 16 joints.*SMPL-X of 55'):
        SMPLBodyModel(save(tmp_path / 'mano.npz', hand))
    handless = official('smplh')
    del handless['hands_meanl'], handless['hands_meanr']
    with pytest.raises(BodyFileError, match='without hands_meanl.*--mano-l'):
        SMPLBodyModel(save(tmp_path / 'smplh.npz', handless))


def test_more_betas_than_the_file_has_is_an_error(arrays, tmp_path):
    path = save(tmp_path / 'body.npz', arrays)
    assert SMPLBodyModel(path, num_betas=300).num_betas == 300
    with pytest.raises(BodyFileError, match='has 10 shape components'):
        SMPLBodyModel(num_betas=16)


@pytest.mark.parametrize(
    'key, change, message',
    [
        ('weights', lambda a: 2 * a, 'weights of .* sums to 2 and not to 1'),
        ('weights', lambda a: a - 0.1, 'weights are negative'),
        ('J_regressor', np.zeros_like, 'J_regressor of .* row 0 sums to 0'),
        ('posedirs', lambda a: a * np.nan, 'posedirs of .* not finite'),
        ('shapedirs', lambda a: a.astype(int), 'shapedirs of .* int64, not'),
        ('v_template', lambda a: 1000 * a, 'another unit.*in metres'),
        ('f', lambda a: a + 0.5, 'f holds values that are no whole'),
        ('f', lambda a: a[:0], 'f is empty'),
    ],
)
def test_values_that_cannot_be_are_named(
    arrays, tmp_path, key, change, message
):
    arrays[key] = change(arrays[key])
    with pytest.raises(BodyFileError, match=message):
        SMPLBodyModel(save(tmp_path / 'body.npz', arrays))


@pytest.mark.parametrize('dtype', ['f2', '>f4', '>f8'])
def test_precision_and_byte_order_of_a_file_do_not_matter(
    arrays, tmp_path, dtype
):
    def rounded(array, to):
        floats = array.dtype.kind == 'f'
        return array.astype('f2').astype(to) if floats else array

    inputs = (torch.ones(1, 3), torch.full((1, 69), 0.1), torch.ones(1, 10))
    expected, found = (
        SMPLBodyModel(
            save(
                tmp_path / 'body.npz',
                {key: rounded(value, to) for key, value in arrays.items()},
            )
        )(*inputs).vertices
        for to in ('f4', dtype)
    )
    assert torch.equal(found, expected)

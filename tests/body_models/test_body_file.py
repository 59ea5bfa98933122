"""A user's own body file: taken as it is, or refused with the way out."""

import pickle

import numpy as np
import pytest
import torch

from mmd2a.body_models import BodyFileError, SMPLBodyModel, load_embedded_body

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
    np.save(tmp_path / 'h36m.npy', np.zeros((17, 50)))
    with pytest.raises(BodyFileError, match=r'\(17, 50\).*\(14, 50\)'):
        SMPLBodyModel(
            str(tmp_path / 'plain.npz'),
            joint_regressors=dict(h36m14=tmp_path / 'h36m.npy'),
        )
    with pytest.raises(FileNotFoundError, match=r'\(14, 50\)'):
        SMPLBodyModel(
            str(tmp_path / 'plain.npz'),
            joint_regressors=dict(h36m14='nowhere.npy'),
        )


def test_a_missing_file_says_what_where_and_how(tmp_path):
    (tmp_path / 'SMPL_MALE.npz').touch()
    with pytest.raises(FileNotFoundError) as error:
        SMPLBodyModel(str(tmp_path / 'SMPL_NEUTRAL.npz'))
    text = str(error.value)
    for part in (
        str(tmp_path / 'SMPL_NEUTRAL.npz'),
        'the folder exists',
        'SMPL_MALE.npz',
        'https://smpl.is.tue.mpg.de',
        'np.savez_compressed',
        'path=None',
    ):
        assert part in text
    with pytest.raises(FileNotFoundError, match='folder does not exist'):
        SMPLBodyModel(str(tmp_path / 'models' / 'SMPL_NEUTRAL.npz'))
    with pytest.raises(FileNotFoundError, match='this is a folder'):
        SMPLBodyModel(str(tmp_path))


def test_a_pickled_file_is_not_opened(tmp_path):
    class Boom:
        def __reduce__(self):
            return (open, (str(tmp_path / 'ran'), 'w'))

    path = tmp_path / 'SMPL_NEUTRAL.pkl'
    path.write_bytes(pickle.dumps(Boom()))
    with pytest.raises(BodyFileError, match='smplx.SMPL'):
        SMPLBodyModel(str(path))
    assert not (tmp_path / 'ran').exists()


def test_the_conversion_in_the_message_works(arrays, tmp_path, monkeypatch):
    pytest.importorskip('smplx')
    monkeypatch.chdir(tmp_path)
    arrays['shapedirs'] = arrays['shapedirs'][..., :10]
    arrays['kintree_table'] = arrays['kintree_table'].astype(np.int64)
    with open('SMPL_NEUTRAL.pkl', 'wb') as file:
        pickle.dump(arrays, file)
    with pytest.raises(BodyFileError) as error:
        SMPLBodyModel('SMPL_NEUTRAL.pkl')
    recipe = '\n'.join(
        line[4:]
        for line in str(error.value).splitlines()
        if line.startswith('    ')
    )
    exec(recipe, {})
    body = SMPLBodyModel('SMPL_NEUTRAL.npz')
    inputs = (torch.ones(1, 3), torch.full((1, 69), 0.1), torch.ones(1, 10))
    np.savez('direct.npz', **arrays)
    torch.testing.assert_close(
        body(*inputs).vertices, SMPLBodyModel('direct.npz')(*inputs).vertices
    )


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


def test_more_betas_than_the_file_has_is_an_error(arrays, tmp_path):
    path = save(tmp_path / 'body.npz', arrays)
    assert SMPLBodyModel(path, num_betas=300).num_betas == 300
    with pytest.raises(BodyFileError, match='has 10 shape components'):
        SMPLBodyModel(num_betas=16)


@pytest.mark.parametrize(
    'content, named',
    [
        (dict(J=np.ones(3)), 'is a pickled body model'),
        (dict(chumpy=np.ones(3)), 'pip install chumpy'),
        (dict(hands_meanl=np.ones(45)), 'is an SMPL-H body'),
        (dict(lmk_faces_idx=np.ones(51)), 'is an SMPL-X body'),
    ],
)
def test_a_pickled_body_is_told_its_next_step(tmp_path, content, named):
    path = tmp_path / 'MODEL.pkl'
    path.write_bytes(pickle.dumps(content))
    with pytest.raises(BodyFileError, match=named) as error:
        SMPLBodyModel(str(path))
    text = str(error.value)
    assert 'MODEL.pkl' in text and 'path=None' in text
    assert 'release' in text and 'v_template' in text


@pytest.mark.parametrize('by', ['names', 'sizes'])
@pytest.mark.parametrize(
    'relative, joints, extra',
    [('SMPL-X', 55, 'lmk_faces_idx'), ('SMPL-H', 52, 'hands_meanl')],
)
def test_bodies_with_hands_are_refused_by_their_name(
    tmp_path, by, relative, joints, extra
):
    arrays = dict(
        v_template=np.zeros((10475, 3)),
        f=np.zeros((20908, 3), np.uint32),
        shapedirs=np.zeros((10475, 3, 20)),
        posedirs=np.zeros((10475, 3, 9)),
        J_regressor=np.zeros((joints, 10475)),
        weights=np.zeros((10475, joints)),
        kintree_table=np.zeros((2, joints), np.int64),
    )
    if by == 'names':  # the official files hold dicts as well
        arrays[extra] = arrays['joint2num'] = np.array({'a': 1}, object)
    with pytest.raises(BodyFileError, match=f'an {relative} body.*Today'):
        SMPLBodyModel(save(tmp_path / 'body.npz', arrays))


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

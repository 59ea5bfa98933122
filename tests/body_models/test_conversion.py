"""Converted official files are the bodies that smplx makes of them."""

import hashlib
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from mmd2a.body_models import BodyFileError, SMPLBodyModel
from mmd2a.body_models.conversion import (
    convert_body_file,
    convert_regressor_file,
)
from mmd2a.geometry import axis_angle_to_matrix

# What people download, and what it is called.
FILES = [
    ('smpl', 'basicmodel_neutral_lbs_10_207_0_v1.1.0.pkl', 'neutral', 300),
    ('smpl', 'basicModel_f_lbs_10_207_0_v1.0.0.pkl', 'female', 10),
    ('smpl', 'basicmodel_m_lbs_10_207_0_v1.1.0.pkl', 'male', 300),
    ('smplh', 'SMPLH_female.pkl', 'female', 10),
    ('smplh', 'smplh/male/model.npz', 'male', 16),
    ('smplh', 'smplh/neutral/model.npz', 'neutral', 16),
    ('smplx', 'SMPLX_NEUTRAL.npz', 'neutral', 400),
    ('smplx', 'SMPLX_MALE.pkl', 'male', 400),
    ('smplx', 'models_lockedhead/SMPLX_FEMALE.npz', 'female', 400),
    ('smplx', 'SMPLX_NEUTRAL_2019.npz', 'neutral', 20),
]


def draw(family, num_betas, num_expression, batch=4):
    """Random parameters in float64."""
    generator = torch.Generator().manual_seed(1)

    def normal(size, scale):
        return scale * torch.randn(batch, size, generator=generator).double()

    parameters = dict(
        global_orient=normal(3, 1.0),
        betas=normal(num_betas, 1.0),
        transl=normal(3, 1.0),
        **{name: normal(3 * n, 0.4) for name, n in family.parts.items()},
    )
    if family.has_expression:
        parameters['expression'] = normal(num_expression, 1.0)
    return parameters


@pytest.fixture
def smplx(monkeypatch):
    """The library, without the landmarks of meshes of the official size."""
    library = pytest.importorskip('smplx')
    table = library.body_models.VERTEX_IDS
    for name in ('smplh', 'smplx'):
        monkeypatch.setitem(table, name, dict.fromkeys(table[name], 0))
    return library


def reference(smplx, model_type, arrays, path, **settings):
    """The body that smplx makes of the arrays, without chumpy."""
    ext = 'npz' if model_type == 'smplx' else 'pkl'
    path = path.with_suffix(f'.{ext}')
    if ext == 'npz':
        np.savez(path, **arrays)
    else:
        path.write_bytes(pickle.dumps(arrays))
    kind = dict(smpl=smplx.SMPL, smplh=smplx.SMPLH, smplx=smplx.SMPLX)
    return kind[model_type](
        str(path),
        ext=ext,
        dtype=torch.float64,
        batch_size=4,
        **dict(use_pca=False) | settings,
    )


@pytest.mark.parametrize('model_type, name, gender, number', FILES)
def test_a_converted_body_is_that_of_smplx(
    official, official_file, smplx, tmp_path, model_type, name, gender, number
):
    arrays = official(model_type, num_shape=number)
    converted = convert_body_file(
        official_file(name, arrays), tmp_path / 'out'
    )
    assert converted.gender == gender
    num_betas = dict([(400, 300), (20, 10)]).get(number, number)
    num_expression = dict([(400, 100), (20, 10)]).get(number, 10)
    assert converted.num_betas == num_betas
    body = SMPLBodyModel(
        converted.path,
        num_betas=num_betas,
        num_expression_coeffs=num_expression,
    ).double()
    theirs = reference(
        smplx,
        model_type,
        arrays,
        tmp_path / 'reference',
        num_betas=num_betas,
        num_expression_coeffs=num_expression,
    )
    if number == 16:  # AMASS's, of which smplx takes 10.
        theirs.shapedirs = torch.from_numpy(arrays['shapedirs'])
    parameters = draw(body.family, num_betas, num_expression)
    out, expected = body(**parameters), theirs(**parameters)
    assert out.joints.shape[1] == body.family.num_joints
    torch.testing.assert_close(
        out.vertices, expected.vertices, atol=1e-6, rtol=0
    )
    torch.testing.assert_close(
        out.joints,
        expected.joints[:, : out.joints.shape[1]],
        atol=1e-6,
        rtol=0,
    )


@pytest.mark.parametrize('model_type', ['smplh', 'smplx'])
@pytest.mark.parametrize('flat', [True, False])
def test_hands_by_components_are_those_of_smplx(
    official, official_file, smplx, tmp_path, model_type, flat
):
    arrays = official(model_type)
    source = official_file('NEUTRAL.npz', arrays)
    converted = convert_body_file(source, tmp_path / 'out')
    body = SMPLBodyModel(
        converted.path, num_pca_comps=6, flat_hand_mean=flat
    ).double()
    theirs = reference(
        smplx,
        model_type,
        arrays,
        tmp_path / 'reference',
        use_pca=True,
        num_pca_comps=6,
        flat_hand_mean=flat,
    )
    parameters = draw(body.family, 10, 10)
    for side in ('left', 'right'):
        name = f'{side}_hand_pose'
        parameters[name] = parameters[name][:, :6]
    torch.testing.assert_close(
        body(**parameters).vertices,
        theirs(**parameters).vertices,
        atol=1e-6,
        rtol=0,
    )


@pytest.mark.parametrize('model_type', ['smplh', 'smplx'])
def test_what_is_not_given_is_at_rest(
    official, official_file, smplx, tmp_path, model_type
):
    arrays = official(model_type)
    converted = convert_body_file(
        official_file('NEUTRAL.npz', arrays), tmp_path / 'out'
    )
    body = SMPLBodyModel(converted.path).double()
    theirs = reference(smplx, model_type, arrays, tmp_path / 'reference')
    given = draw(body.family, 10, 10)
    some = {k: given[k] for k in ('global_orient', 'body_pose', 'betas')}
    out = body(**some)
    torch.testing.assert_close(
        out.vertices, theirs(**some).vertices, atol=1e-6, rtol=0
    )
    # Matrices of the body alone, as heads give them, are the same mesh.
    turned = {
        key: axis_angle_to_matrix(some[key].unflatten(1, (-1, 3)))
        for key in ('global_orient', 'body_pose')
    }
    again = body(**turned, betas=some['betas'], pose_format='matrix')
    torch.testing.assert_close(again.vertices, out.vertices)


def test_hands_come_from_mano_where_smpl_h_has_none(
    official, official_file, tmp_path
):
    whole = official('smplh')
    hands = {k: whole.pop(k) for k in [*whole] if k.startswith('hands_')}
    source = official_file('male/model.npz', whole)
    with pytest.raises(BodyFileError, match='--mano-left MANO_LEFT.pkl'):
        convert_body_file(source, tmp_path)
    mano = []
    for side in ('left', 'right'):
        mano.append(tmp_path / f'MANO_{side.upper()}.pkl')
        content = {
            key[:-1]: value
            for key, value in hands.items()
            if key.endswith(side[0])
        }
        mano[-1].write_bytes(pickle.dumps(content, 2))
    body = SMPLBodyModel(convert_body_file(source, tmp_path, mano=mano).path)
    np.testing.assert_allclose(
        body.right_hand_mean, hands['hands_meanr'], atol=1e-7
    )
    wrong = official_file('SMPL_MALE.pkl', official('smpl'))
    with pytest.raises(BodyFileError, match='no hand of MANO'):
        convert_body_file(source, tmp_path, mano=(mano[0], wrong))


def run(*arguments):
    return subprocess.run(
        [sys.executable, 'tools/body/convert_smpl.py', *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_the_tool_says_what_it_wrote(official, official_file, tmp_path):
    source = official_file('SMPL_FEMALE.pkl', official('smpl'))
    done = run(source, '--out', tmp_path / 'bodies')
    assert not done.returncode, done.stderr
    path = tmp_path / 'bodies' / 'SMPL_FEMALE.npz'
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for part in (
        f'wrote {path}: SMPL, female, 300 vertices, 24 joints, 300 betas',
        f'sha256 {digest}',
        'official SMPL has 6,890',
    ):
        assert part in done.stdout
    with np.load(path, allow_pickle=False) as arrays:
        assert arrays['shapedirs'].dtype == np.float32
    # The same again, from what was written.
    again = convert_body_file(path, tmp_path / 'again')
    assert again.sha256 == digest


def test_the_tool_tells_mistakes_in_a_line(official, official_file, tmp_path):
    source = official_file('body.pkl', official('smpl'))
    done = run(source, tmp_path / 'nowhere.pkl', '--out', tmp_path / 'out')
    assert done.returncode
    [line] = done.stderr.strip().splitlines()
    assert str(source) in line and '--gender' in line
    assert not (tmp_path / 'out').exists()


def test_the_official_file_is_not_replaced(official, official_file):
    source = official_file('SMPLX_NEUTRAL.npz', official('smplx'))
    before = source.read_bytes()
    with pytest.raises(BodyFileError, match='another folder: --out'):
        convert_body_file(source, source.parent)
    assert source.read_bytes() == before


def test_an_official_npz_of_smplx_can_be_read_as_it_is(
    official, official_file
):
    source = official_file('SMPLX_NEUTRAL.npz', official('smplx'))
    assert SMPLBodyModel(source).num_joints == 55


@pytest.mark.parametrize('protocol', [0, 2, 4])
def test_pickled_regressors_are_converted(tmp_path, protocol):
    matrix = np.full((14, 300), 1 / 300)
    source = tmp_path / 'SMPLX_to_J14.pkl'
    source.write_bytes(pickle.dumps(matrix, protocol))
    target = convert_regressor_file(source, tmp_path / 'out')
    assert target.name == 'SMPLX_to_J14.npy'
    np.testing.assert_array_equal(np.load(target), matrix)
    source.write_bytes(pickle.dumps(2 * matrix, protocol))
    with pytest.raises(BodyFileError, match='sums to 2'):
        convert_regressor_file(source, tmp_path / 'out')

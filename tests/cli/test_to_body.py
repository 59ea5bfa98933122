"""`mmd2a predict --to-body`: another body's parameters in one file."""

import numpy as np
import pytest
import torch

from mmd2a.body_models import EMBEDDED_BODY_PATH, BodyFileError, SMPLBodyModel
from mmd2a.cli import predict
from mmd2a.cli.main import build_parser
from mmd2a.files import read_npz

PHOTO = 'docs/images/balancing.jpg'


def run(folder, body, *more):
    arguments = ['predict', PHOTO, '--bbox', '36', '60', '563', '758']
    arguments += ['--out', str(folder), '--to-body', str(body), *more]
    predict.run(build_parser().parse_args(arguments))


def test_parameters_of_the_body_are_written(
    tmp_path, monkeypatch, capsys, pytestconfig
):
    pytest.importorskip('mmpose')
    monkeypatch.chdir(pytestconfig.rootpath)
    run(tmp_path, EMBEDDED_BODY_PATH, '--bbox', '100', '90', '540', '750')
    told = capsys.readouterr().out.splitlines()[-1]
    assert '2 as embedded_body.npz' in told and 'mm from the pred' in told
    people = read_npz(tmp_path / 'embedded_body_people.npz')
    assert people['picture_index'].tolist() == [0, 0]
    assert str(people['corresponding']) == 'vertices'
    names = ('global_orient', 'body_pose', 'betas', 'transl')
    posed = SMPLBodyModel(EMBEDDED_BODY_PATH)(
        *(torch.from_numpy(people[name]) for name in names)
    ).vertices.numpy()
    mesh = read_npz(tmp_path / 'balancing.npz')
    away = posed - mesh['vertices'] - mesh['transl'][:, None]
    np.testing.assert_allclose(
        np.linalg.norm(away, axis=-1).mean(1), people['residual'], atol=1e-3
    )


def test_a_file_that_is_no_body_is_told_at_once(tmp_path):
    (tmp_path / 'body.npz').write_bytes(b'no archive')
    with pytest.raises(BodyFileError):
        run(tmp_path / 'out', tmp_path / 'body.npz')
    assert not (tmp_path / 'out').exists()

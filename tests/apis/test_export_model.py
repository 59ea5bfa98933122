"""A file for other runtimes gives what the model gives, and describes itself.

Every head is compared; those that take longest to export are slow.
"""

import copy
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from mmd2a.apis.errors import InputError
from mmd2a.apis.export_model import METADATA, export_model
from mmd2a.apis.exported_mesh import DTYPES, ExportedMesh
from mmd2a.apis.get_model import build_model, get_model
from mmd2a.engine.checkpoint_files import CheckpointError

pytest.importorskip('mmpose')

CONFIG = Path(__file__).parents[2] / 'configs' / 'd2a_hmr_hrnet.py'
NAME = 'd2a_hmr_mobilenet-v2'
HEADS = {
    'coarse mesh': {},
    'parameters': {'head.type': 'mmd2a.SMPLHead'},
    'no depth, no density': {'depth_branch': None, 'flow_head': None},
    'refined': {
        'localizer': dict(type='mmd2a.JointLocalizer', channels=16),
        'refiner': dict(type='mmd2a.MeshRefiner'),
    },
}


def config(**changes):
    cfg = Config.fromfile(CONFIG)
    # No file is there to start from.
    cfg.merge_from_dict({f'model.{k}': v for k, v in changes.items()})
    if changes.get('depth_branch', 1) is None:
        cfg.test_dataloader.dataset.pipeline[0].with_depth = False
    return cfg


@pytest.fixture
def weights(tmp_path):
    """Weights of a config: drawn, and not as initialised."""

    def make(cfg):
        torch.manual_seed(0)
        model = build_model(copy.deepcopy(cfg), None, 'drawn', {})
        for parameter in model.parameters():
            if parameter.ndim > 1:
                torch.nn.init.normal_(parameter, std=0.02)
        path = tmp_path / 'drawn.pth'
        torch.save(dict(state_dict=model.state_dict()), path)
        return str(path)

    return make


@pytest.fixture(scope='module')
def session(tmp_path_factory):
    """The model that ships as ONNX, opened by onnxruntime."""
    pytest.importorskip('onnxscript')
    onnxruntime = pytest.importorskip('onnxruntime')
    path = tmp_path_factory.mktemp('export') / 'model.onnx'
    done = export_model(NAME, path)
    assert done.path == path and done.difference < 1e-4
    return onnxruntime.InferenceSession(path)


def test_onnx_gives_what_the_model_gives_for_any_batch(session):
    mesh = ExportedMesh(get_model(f'mmd2a::{NAME}'), 128)
    assert [o.name for o in session.get_outputs()] == [*mesh.output_names]
    for batch in (1, 2, 7):
        inputs = mesh.draw(batch)
        with torch.no_grad():
            wanted = mesh(*inputs)
        arrays = dict(zip(mesh.input_names, (i.numpy() for i in inputs)))
        for one, other in zip(wanted, session.run(None, arrays)):
            assert one.shape == other.shape
            assert np.abs(one.numpy() - other).max() < 1e-4


def test_the_file_describes_itself(session):
    properties = session.get_modelmeta().custom_metadata_map
    told = json.loads(properties[METADATA])
    assert told['weights'] == f'mmd2a://{NAME}'
    assert told['licence'] == 'Apache-2.0' and 'metres' in told['units']
    assert told['crop_size'] == [128, 128] and len(told['mean']) == 3
    assert len(told['joint_names']) == 14
    assert np.max(told['faces']) == 6906
    assert told['inputs'] == [i.name for i in session.get_inputs()]
    assert told['outputs'] == [o.name for o in session.get_outputs()]


def test_torch_gives_what_the_model_gives_without_this_package(tmp_path):
    path = tmp_path / 'model.pt2'
    assert export_model(NAME, path, 'torch').difference < 1e-4
    mesh = ExportedMesh(get_model(f'mmd2a::{NAME}'), 128)
    inputs = mesh.draw(5)
    with torch.no_grad():
        wanted = dict(zip(mesh.output_names, mesh(*inputs)))
    torch.save([inputs, wanted['vertices']], tmp_path / 'wanted.pt')
    code = (
        'import json, sys, torch\n'
        'extra = {"mmd2a.json": ""}\n'
        'program = torch.export.load("model.pt2", extra_files=extra)\n'
        'names = json.loads(extra["mmd2a.json"])["outputs"]\n'
        'inputs, wanted = torch.load("wanted.pt")\n'
        'found = dict(zip(names, program.module()(*inputs)))["vertices"]\n'
        'assert (found - wanted).abs().max() < 1e-4\n'
        'assert "mmd2a" not in sys.modules\n'
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize('format', ['onnx', 'torch'])
@pytest.mark.parametrize('head', HEADS)
def test_every_head_is_exported(head, format, weights, tmp_path):
    if format == 'onnx':
        pytest.importorskip('onnxscript')
        pytest.importorskip('onnxruntime')
    cfg = config(**HEADS[head])
    path = tmp_path / 'model.file'
    done = export_model(cfg, path, format, weights=weights(cfg))
    assert done.difference < 1e-4
    told = done.metadata['outputs']
    assert {'vertices', 'keypoints3d', 'camera'} <= {*told}
    assert ('sigma' in told) == (head != 'no depth, no density')
    assert ('body_pose' in told) == (head == 'parameters')
    assert ('keypoints2d_localized' in told) == (head == 'refined')
    depth = [] if 'no depth' in head else ['depth', 'has_depth']
    assert done.metadata['inputs'] == ['img', *depth]


@pytest.mark.parametrize(('dtype', 'metres'), [('fp16', 0.01), ('bf16', 0.1)])
def test_half_precision_computes_in_it_and_gives_float32(dtype, metres):
    plain = ExportedMesh(get_model(f'mmd2a::{NAME}'), 128)
    half = ExportedMesh(get_model(f'mmd2a::{NAME}'), 128, DTYPES[dtype])
    parts = {p.dtype for p in half.model.encoder.parameters()}
    assert parts == {DTYPES[dtype]}
    inputs = plain.draw(2)
    with torch.no_grad():
        for one, other in zip(plain(*inputs), half(*inputs), strict=True):
            assert other.dtype == torch.float32
            assert 0 < (one - other).abs().max() < metres


@pytest.mark.parametrize(
    ('arguments', 'error', 'says'),
    [
        ((NAME, 'a.onnx', 'tflite'), InputError, 'formats are onnx, torch'),
        ((NAME, 'a.onnx', 'onnx', 'int8'), InputError, 'fp32, fp16, bf16'),
        (('absent', 'a.pt2', 'torch'), CheckpointError, 'there are no'),
        ((str(CONFIG), 'a.pt2', 'torch'), InputError, 'has no weights'),
    ],
)
def test_mistakes_are_told_in_one_line(
    arguments, error, says, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=says) as told:
        export_model(*arguments)
    assert '\n' not in str(told.value)
    assert not list(tmp_path.iterdir())


def test_packages_that_are_not_there_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr('mmd2a.apis.export_model.find_spec', lambda name: None)
    with pytest.raises(InputError, match=r'pip install mmd2a\[export\]'):
        export_model(NAME, tmp_path / 'a.onnx')

"""Checkpoints made by others are read, but never run."""

import os
import pickle
import threading
from pathlib import Path, PureWindowsPath

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint

from mmd2a.engine import UntrustedCheckpointError, restrict_checkpoint_loading


@pytest.fixture(autouse=True)
def restricted():
    restrict_checkpoint_loading()


def test_a_checkpoint_of_plain_mmengine_resumes(toy):
    changes = {'default_hooks.checkpoint.type': 'CheckpointHook'}
    toy(**changes).train()
    resumed = toy(resume=True, **{'train_cfg.max_epochs': 3})
    with pytest.raises(pickle.UnpicklingError):
        torch.load(f'{resumed.work_dir}/epoch_2.pth', weights_only=True)
    resumed.train()
    assert len(resumed.losses) == 4
    history = resumed.message_hub.get_scalar('train/loss')
    assert isinstance(history, HistoryBuffer) and len(history.data[0]) == 12


def test_our_checkpoint_gives_plain_mmengine_its_weights(toy):
    runner = toy()
    runner.train()
    model = toy(work_dir=f'{runner.work_dir}_2').model
    load_checkpoint(model, f'{runner.work_dir}/epoch_2.pth', strict=True)


def test_arrays_and_numbers_of_numpy_are_read(tmp_path):
    values = dict(
        a=np.arange(3.0),
        b=np.float32(2),
        c=np.array(['x']),
        d=np.ones((2, 2), bool),
        e=np.int64(3),
        f=HistoryBuffer([1.0, 2.0], [1, 1]),
    )
    torch.save(values, tmp_path / 'values.pth')
    loaded = CheckpointLoader.load_checkpoint(str(tmp_path / 'values.pth'))
    for key in 'abcde':
        np.testing.assert_array_equal(loaded[key], values[key])
    assert loaded['f'].mean() == 1.5


class Harmful:
    def __reduce__(self):
        return os.mkdir, ('harm',)


class Sneaky:
    """Asks for an attribute, as MMEngine's own log history does."""

    def __reduce__(self):
        return getattr, (HistoryBuffer, '__init__')


@pytest.mark.parametrize(
    'content, named', [(Harmful(), 'posix.mkdir'), (Sneaky(), 'HistoryBuffer')]
)
def test_what_could_run_code_is_refused_with_a_way_out(
    tmp_path, monkeypatch, content, named
):
    monkeypatch.chdir(tmp_path)
    torch.save(dict(state_dict=content), 'foreign.pth')
    with pytest.raises(UntrustedCheckpointError) as caught:
        CheckpointLoader.load_checkpoint('foreign.pth')
    message = str(caught.value)
    assert 'foreign.pth' in message and named in message
    assert 'add_safe_globals' in message
    assert not os.path.exists('harm')


def test_downloads_are_not_run_either(tmp_path, monkeypatch):
    from functools import partial
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    torch.save(dict(state_dict=Harmful()), 'foreign.pth')
    torch.save(dict(state_dict=dict(a=torch.ones(1))), 'plain.pth')
    server = ThreadingHTTPServer(
        ('127.0.0.1', 0),
        partial(SimpleHTTPRequestHandler, directory=str(tmp_path)),
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        url = f'http://127.0.0.1:{server.server_port}'
        assert CheckpointLoader.load_checkpoint(f'{url}/plain.pth')
        with pytest.raises(UntrustedCheckpointError, match='mkdir'):
            CheckpointLoader.load_checkpoint(f'{url}/foreign.pth')
    finally:
        server.shutdown()
    assert not os.path.exists('harm')


def test_paths_in_the_meta_of_mmcv_1_are_read(tmp_path):
    meta = dict(config=Path('configs/hmr.py'), root=PureWindowsPath('C:/data'))
    torch.save(dict(meta=meta, state_dict={}), tmp_path / 'paths.pth')
    restrict_checkpoint_loading()
    read = CheckpointLoader.load_checkpoint(str(tmp_path / 'paths.pth'))
    assert {key: str(value) for key, value in read['meta'].items()} == {
        key: str(value) for key, value in meta.items()
    }


def test_a_truncated_checkpoint_is_called_that(tmp_path):
    path = tmp_path / 'whole.pth'
    torch.save(dict(a=torch.zeros(1000)), path)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(RuntimeError, match='not a complete checkpoint'):
        CheckpointLoader.load_checkpoint(str(path))


def test_loading_leaves_no_trace_in_the_environment(tmp_path):
    before = dict(os.environ)
    torch.save({}, tmp_path / 'empty.pth')
    CheckpointLoader.load_checkpoint(str(tmp_path / 'empty.pth'))
    assert dict(os.environ) == before
    assert HistoryBuffer not in torch.serialization.get_safe_globals()

"""A file that is no whole checkpoint is refused before torch reads it."""

import os
import zipfile

import pytest
import torch
from mmengine.runner.checkpoint import CheckpointLoader

from mmd2a.engine.checkpoint_files import (
    CheckpointError,
    check_checkpoint_file,
)
from mmd2a.engine.checkpoint_loading import (
    load_every_parameter,
    restrict_checkpoint_loading,
)


@pytest.fixture
def path(tmp_path):
    restrict_checkpoint_loading()
    path = tmp_path / 'epoch_2.pth'
    torch.save(dict(state_dict=dict(a=torch.arange(1000.0))), path)
    return path


def flip_in_weights(path):
    with zipfile.ZipFile(path) as file:
        info = file.getinfo('epoch_2/data/0')
    data = bytearray(path.read_bytes())
    data[info.header_offset + 2000] ^= 64
    path.write_bytes(data)


@pytest.mark.parametrize(
    'spoil, message',
    [
        (lambda p: p.write_bytes(b''), 'is empty'),
        (lambda p: p.write_bytes(bytes(9000)), '4096 bytes are zeros'),
        (lambda p: p.write_bytes(p.read_bytes()[:3000]), 'table of contents'),
        (flip_in_weights, 'checksum of epoch_2/data/0 is wrong'),
        (lambda p: p.write_bytes(b'not one'), 'does not begin'),
    ],
)
def test_a_damaged_file_is_named_with_the_way_out(path, spoil, message):
    spoil(path)
    with pytest.raises(CheckpointError, match=message) as error:
        CheckpointLoader.load_checkpoint(str(path))
    text = str(error.value)
    assert text.startswith(str(path)) and 'Use an earlier checkpoint' in text
    assert '\n' not in text


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / 'pipe.pth')
    with pytest.raises(OSError, match=r'device or pipe: .*pipe\.pth'):
        check_checkpoint_file(tmp_path / 'pipe.pth')


def test_checksums_that_torch_was_told_to_leave_out_are_not_missed(tmp_path):
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(dict(a=torch.ones(3)), tmp_path / 'a.pth')
    finally:
        torch.serialization.set_crc32_options(True)
    check_checkpoint_file(tmp_path / 'a.pth')


def test_an_archive_that_unfolds_to_a_multiple_is_not_read(tmp_path):
    path = tmp_path / 'bomb.pth'
    with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as file:
        file.writestr('bomb/data/0', bytes(10**7))
    with pytest.raises(CheckpointError, match='would unfold from'):
        check_checkpoint_file(path)


@pytest.mark.parametrize('name', ['weight', 'running_var'])
def test_weights_of_a_diverged_training_are_not_evaluated(name):
    model = torch.nn.BatchNorm1d(3)
    weights = {k: v.clone() for k, v in model.state_dict().items()}
    weights[name][1] = float('nan')
    with pytest.raises(CheckpointError, match=rf'a\.pth has 1.*{name}.*diver'):
        load_every_parameter(model, weights, 'a.pth')

"""Pictures on disk."""

import os

import cv2
import numpy as np
import pytest

from mmd2a.visualization.image_files import save_image

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)


def test_a_saved_image_reads_back_with_its_channels_in_order(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'picture.png'
    save_image(path, IMAGE)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], IMAGE)
    assert os.listdir(path.parent) == ['picture.png']


def test_an_interrupted_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / 'picture.png'
    save_image(path, IMAGE)

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(OSError, match='picture.png: No space left on device'):
        save_image(path, 255 - IMAGE)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], IMAGE)
    assert os.listdir(tmp_path) == ['picture.png']


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='choose another folder'):
        save_image(tmp_path / 'file' / 'picture.png', IMAGE)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match='writable'):
        save_image(tmp_path / 'picture.png', IMAGE)


@pytest.mark.parametrize('name', ['picture', 'picture.xyz'])
def test_a_name_without_an_image_format_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r'end it in \.png or \.jpg'):
        save_image(tmp_path / name, IMAGE)

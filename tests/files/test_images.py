"""Pictures on disk."""

import os
import struct
import zlib

import cv2
import numpy as np
import pytest

from mmd2a.files import (
    UnusableFileError,
    decode_image,
    image_size,
    read_image,
    write_image,
)

IMAGE = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)


def test_a_saved_image_reads_back_with_its_channels_in_order(tmp_path):
    path = tmp_path / 'new' / 'folder' / 'picture.png'
    write_image(path, IMAGE)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], IMAGE)
    assert os.listdir(path.parent) == ['picture.png']


def test_an_interrupted_write_leaves_the_old_picture(tmp_path, monkeypatch):
    path = tmp_path / 'picture.png'
    write_image(path, IMAGE)

    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'replace', full)
    with pytest.raises(
        OSError, match='picture.png .*: No space left on device'
    ):
        write_image(path, 255 - IMAGE)
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], IMAGE)
    assert os.listdir(tmp_path) == ['picture.png']


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match='choose another folder'):
        write_image(tmp_path / 'file' / 'picture.png', IMAGE)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_a_folder_without_permission_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match='writable'):
        write_image(tmp_path / 'picture.png', IMAGE)


@pytest.mark.parametrize('name', ['picture', 'picture.xyz'])
def test_a_name_without_an_image_format_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r'end it in \.png or \.jpg'):
        write_image(tmp_path / name, IMAGE)


KINDS = ['.png', '.jpg', '.bmp', '.webp', '.tiff', '.ppm', '.gif']


@pytest.mark.parametrize('kind', KINDS)
def test_the_size_is_known_without_decoding(kind):
    for shape in [(8, 9, 3), (300, 17, 3)]:
        data = cv2.imencode(kind, np.zeros(shape, np.uint8))[1].tobytes()
        assert image_size(data) == (shape[1], shape[0])


@pytest.mark.parametrize('quality', [80, 101])
def test_the_size_of_either_webp_is_known(quality):
    data = cv2.imencode('.webp', IMAGE, [cv2.IMWRITE_WEBP_QUALITY, quality])[
        1
    ].tobytes()
    assert data[12:16] == (b'VP8L' if quality > 100 else b'VP8 ')
    assert image_size(data) == (9, 8)


@pytest.mark.parametrize('kind', KINDS)
def test_no_prefix_of_a_picture_is_taken_for_one(tmp_path, kind):
    path = tmp_path / f'picture{kind}'
    write_image(path, IMAGE)
    whole = path.read_bytes()
    assert read_image(path).shape == (8, 9, 3)
    for length in range(0, min(64, len(whole) - 1)):
        path.write_bytes(whole[:length])
        with pytest.raises(UnusableFileError, match=path.name):
            read_image(path)


def png(width, height, **replaced):
    """A grey PNG file of that size with no pixels in it."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return (
            struct.pack('>I4s', len(data), kind)
            + data
            + struct.pack('>I', replaced.get('checksum', checksum))
        )

    header = struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        [
            chunk(b'IHDR', header),
            chunk(b'IDAT', zlib.compress(bytes(64))),
            chunk(b'IEND', b''),
        ]
    )


def test_a_picture_that_unfolds_to_gigabytes_is_refused(tmp_path):
    path = tmp_path / 'bomb.png'
    path.write_bytes(png(60_000, 60_000))
    with pytest.raises(
        UnusableFileError, match='60000x60000 pixels.*bomb.png.*smaller'
    ):
        read_image(path)


def test_any_flipped_bit_of_a_png_is_found(tmp_path):
    path = tmp_path / 'a.png'
    write_image(path, IMAGE)
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        data = bytearray(whole)
        data[position] ^= 4
        path.write_bytes(data)
        with pytest.raises(UnusableFileError, match=r'a\.png'):
            read_image(path)


@pytest.mark.parametrize('data', [b'', bytes(500), b'hello', b'\x89PNG'])
def test_what_is_no_picture_is_named(tmp_path, data):
    (tmp_path / 'a.png').write_bytes(data)
    with pytest.raises(UnusableFileError, match=r'a\.png\. To fix'):
        read_image(tmp_path / 'a.png')


def is_whole(data):
    """Whether a picture is decoded."""
    try:
        return decode_image(data, 'a.jpg').shape == (8, 9, 3)
    except UnusableFileError as error:
        assert 'truncated' in str(error)
        return False


def test_data_after_the_end_of_a_jpeg_does_no_harm():
    data = cv2.imencode('.jpg', IMAGE)[1].tobytes()
    trailer = b'\x00\xff\xda\x12movie' * 3
    assert is_whole(data + trailer)
    # A thumbnail inside the header has an end marker of its own.
    thumbnail = b'\xff\xd8\xff\xd9'
    segment = b'\xff\xe1' + (len(thumbnail) + 2).to_bytes(2, 'big')
    whole = data[:2] + segment + thumbnail + data[2:]
    assert is_whole(whole + trailer)
    assert not is_whole(whole[:-20])
    progressive = cv2.imencode(
        '.jpg', IMAGE, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]
    )[1].tobytes()
    assert is_whole(progressive + trailer)
    assert not is_whole(progressive[:-20])


@pytest.mark.parametrize('kind', KINDS)
def test_a_damaged_picture_is_read_or_named(tmp_path, kind):
    rng = np.random.default_rng(0)
    path = tmp_path / f'a{kind}'
    write_image(path, IMAGE)
    whole = np.frombuffer(path.read_bytes(), np.uint8)
    for number in range(60):
        data = whole.copy()
        # Half of the damage where the header is.
        end = min(len(data), 60) if number % 2 else len(data)
        where = rng.integers(0, end, rng.integers(1, 4))
        data[where] = rng.integers(0, 256, len(where))
        path.write_bytes(data.tobytes())
        try:
            pixels = read_image(path)
        except UnusableFileError as error:
            assert path.name in str(error)
        else:
            assert pixels.ndim == 3 and pixels.dtype == np.uint8

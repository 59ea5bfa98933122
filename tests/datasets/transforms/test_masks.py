"""A person in a mask is never read as background, whatever the format."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from mmd2a.datasets import BadSampleError
from mmd2a.datasets.transforms.frame_files import read_mask
from mmd2a.datasets.transforms.masks import as_mask

H, W = 40, 60
PERSON = np.zeros((H, W), np.uint8)
PERSON[5:30, 12:34] = 1
WHITE = PERSON * np.uint8(255)
OWN = WHITE.copy()
OWN[20:30, 12:34] = 128


def png(rows, depth, color, palette=None, transparent=None):
    """A PNG file of packed rows, such as OpenCV cannot write."""

    def chunk(kind, data):
        body = kind + data
        return (
            struct.pack('>I', len(data))
            + body
            + struct.pack('>I', zlib.crc32(body))
        )

    lines = b''.join(b'\0' + bytes(row) for row in rows)
    return b''.join(
        [
            b'\x89PNG\r\n\x1a\n',
            chunk(
                b'IHDR', struct.pack('>IIBBBBB', W, H, depth, color, 0, 0, 0)
            ),
            chunk(b'PLTE', bytes(palette)) if palette else b'',
            chunk(b'tRNS', bytes(transparent)) if transparent else b'',
            chunk(b'IDAT', zlib.compress(lines)),
            chunk(b'IEND', b''),
        ]
    )


VOC = [0, 0, 0, 128, 0, 0, 0, 128, 0]
RIGHT = {
    'own levels': OWN,
    '0 and 1': PERSON,
    '0 and 255': WHITE,
    'three channels': np.repeat(WHITE[..., None], 3, 2),
    'three channels of 0 and 1': np.repeat(PERSON[..., None], 3, 2),
    '16 bits, 0 and 1': PERSON.astype(np.uint16),
    '16 bits, 0 and 255': WHITE.astype(np.uint16),
    '16 bits, 0 and 65535': WHITE * np.uint16(257),
    '16 bits, own levels': OWN * np.uint16(257),
    'alpha of a cut-out': np.dstack([np.full((H, W, 3), 90, np.uint8), WHITE]),
    'alpha of a black cut-out': np.dstack([np.zeros((H, W, 3), int), WHITE]),
    'opaque alpha': np.dstack(
        [np.repeat(WHITE[..., None], 3, 2), np.full((H, W), 255, np.uint8)]
    ),
    'nobody': np.zeros((H, W), np.uint8),
    'nothing but person': np.ones((H, W), np.uint8),
}
FILES = {
    '1 bit': png(np.packbits(PERSON, 1), 1, 0),
    '1 bit with palette': png(np.packbits(PERSON, 1), 1, 3, VOC[:6]),
    'palette': png(PERSON, 8, 3, VOC),
    'palette of one colour': png(PERSON, 8, 3, [0] * 9),
    'palette with white first': png(PERSON, 8, 3, [255] * 3 + [0] * 3),
    'palette with transparency': png(PERSON, 8, 3, VOC, [0, 255]),
    'palette of greys': png(
        WHITE, 8, 3, [level for level in range(256) for _ in range(3)]
    ),
    'grey with alpha': png(
        np.dstack([PERSON * 0, WHITE]).reshape(H, -1), 8, 4
    ),
}
REFUSED = {
    'several people': PERSON + np.tri(H, W, dtype=np.uint8),
    'class and void': np.where(np.tri(H, W) > 0, 255, PERSON),
    'a label': PERSON * 15,
    'labels of parts': np.arange(H * W).reshape(H, W) % 25,
    'any values': np.arange(H * W).reshape(H, W) % 256,
    'a colour': np.dstack([PERSON * 0, PERSON * 0, PERSON * 128]),
    'a single wrong pixel': np.where(np.eye(H, W) > 0, 7, WHITE),
    'all transparent': np.zeros((H, W, 4)),
    '16 bits of any kind': PERSON.astype(np.uint16) * 1000,
}


def wanted(name):
    if name == 'nobody':
        return PERSON * 0
    if name == 'nothing but person':
        return PERSON * 0 + 255
    return OWN if 'own levels' in name else WHITE


@pytest.mark.parametrize('name', RIGHT)
def test_every_way_to_say_it_is_read_right(tmp_path, name):
    dtype = np.uint16 if '16 bits' in name else np.uint8
    path = str(tmp_path / 'mask.png')
    cv2.imwrite(path, RIGHT[name].astype(dtype))
    np.testing.assert_array_equal(read_mask(path), wanted(name))
    np.save(tmp_path / 'mask.npy', RIGHT[name])
    np.testing.assert_array_equal(
        read_mask(str(tmp_path / 'mask.npy')), wanted(name)
    )


@pytest.mark.parametrize('name', FILES)
def test_files_of_other_depths_and_palettes_are_read_right(tmp_path, name):
    (tmp_path / 'mask.png').write_bytes(FILES[name])
    np.testing.assert_array_equal(read_mask(str(tmp_path / 'mask.png')), WHITE)


@pytest.mark.parametrize('dtype', [bool, np.int64, np.float32, '>i4'])
def test_arrays_of_any_type_are_read_right(dtype):
    np.testing.assert_array_equal(as_mask(PERSON.astype(dtype)), WHITE)
    np.testing.assert_array_equal(as_mask(PERSON[..., None] > 0), WHITE)


@pytest.mark.parametrize('name', REFUSED)
def test_what_could_be_read_in_several_ways_is_refused(tmp_path, name):
    dtype = np.uint16 if '16 bits' in name else np.uint8
    path = str(tmp_path / 'mask.png')
    cv2.imwrite(path, REFUSED[name].astype(dtype))
    with pytest.raises(BadSampleError, match=r'mask .*mask\.png.*255 for'):
        read_mask(path)


@pytest.mark.parametrize(
    'array',
    [
        PERSON * np.nan,
        PERSON * 0.5,
        PERSON * -1.0,
        PERSON.astype(str),
        PERSON * 1j,
        PERSON[0],
        np.zeros((0, 4), np.uint8),
        np.zeros((2, H, W, 3), np.uint8),
    ],
)
def test_arrays_that_are_no_mask_are_refused(array):
    with pytest.raises(BadSampleError, match='mask'):
        as_mask(array)


def test_palettes_of_many_people_are_refused(tmp_path):
    rows = PERSON + np.tri(H, W, dtype=np.uint8)
    (tmp_path / 'mask.png').write_bytes(png(rows, 8, 3, VOC))
    with pytest.raises(BadSampleError, match='values 0, 1, 2'):
        read_mask(str(tmp_path / 'mask.png'))


def test_soft_edges_are_rounded_to_the_nearest_level(tmp_path):
    big = cv2.resize(WHITE, None, fx=4, fy=4)
    soft = cv2.GaussianBlur(big, (9, 9), 2)
    mask = as_mask(soft)
    assert set(np.unique(mask)) == {0, 128, 255}
    np.testing.assert_array_equal(mask == 255, soft > 191)
    for end in ('.jpg', '.png'):
        path = str(tmp_path / f'mask{end}')
        cv2.imwrite(path, soft)
        assert ((read_mask(path) > 0) != (soft > 127)).mean() < 0.02
    hard = np.kron(WHITE, np.ones((4, 4), np.uint8))
    cv2.imwrite(str(tmp_path / 'hard.jpg'), hard)
    np.testing.assert_array_equal(read_mask(str(tmp_path / 'hard.jpg')), hard)

"""Read and write pictures; their size is known before they are decoded."""

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from mmd2a.files.errors import UnusableFileError
from mmd2a.files.reading import read_bytes
from mmd2a.files.writing import write_bytes

#: Picture files of more bytes are refused.
MAX_IMAGE_BYTES = 2**29
#: Pictures of more pixels are refused before decoding; Pillow's limit.
MAX_PIXELS = 178_956_970

# A JPEG marker that ends an entropy-coded scan: 0xFF not followed by a stuffed
# zero, a fill byte or a restart marker.
_SCAN_END = re.compile(rb'\xff[^\x00\xff\xd0-\xd7]')
# Frame headers: C0 to CF, except for tables (C4, CC) and an extension (C8).
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PNM = re.compile(rb'P[1-6]\s+(?:#[^\n]*\n\s*)*(\d+)\s+(?:#[^\n]*\n\s*)*(\d+)')
_FIX = 'replace the file'


def image_size(data: bytes) -> tuple[int, int]:
    """Return width and height that a picture file states, in pixels.

    Args:
        data: a PNG, JPEG, BMP, WebP, TIFF, GIF or PNM file, not decoded.

    Raises:
        ValueError: of another kind, or its header is cut off.

    Example:
        >>> image_size(b'P5 640 480 255 ')
        (640, 480)
    """
    for start, read_size in _READERS.items():
        if data.startswith(start):
            try:
                width, height = read_size(data)
            except (struct.error, LookupError, ValueError) as error:
                raise ValueError('its header is damaged') from error
            if width <= 0 or height <= 0:
                raise ValueError('its header states no size')
            return width, height
    raise ValueError('it is not PNG, JPEG, BMP, WebP, TIFF, GIF or PNM')


def decode_image(
    data: bytes,
    path: str | Path,
    flags: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Decode a picture that is whole and not too big.

    Args:
        data: content of the file.
        path: its name, for the message.
        flags: how to decode, one of OpenCV's ``IMREAD_*``; None: (H, W, 3)
            uint8 BGR, turned as the camera says.
        max_pixels: size allowed.

    Raises:
        UnusableFileError: empty, cut off, damaged, too many pixels, or of a
            kind that is not read.
    """
    # OpenCV takes longer to import than everything else in this room.
    import cv2

    if not data:
        raise UnusableFileError('the file is empty', path, _FIX)
    try:
        width, height = image_size(data)
    except ValueError as error:
        raise UnusableFileError(
            f'the file cannot be decoded as a picture: {error}',
            path,
            'save it as PNG or JPEG',
        ) from error
    if width * height > max_pixels:
        raise UnusableFileError(
            f'the picture has {width}x{height} pixels, {max_pixels:,} are '
            'allowed',
            path,
            'save it smaller',
        )
    reason = _find_damage(data)
    if reason is not None:
        raise UnusableFileError(
            f'the file is {reason} ({len(data)} bytes)', path, _FIX
        )
    try:
        pixels = cv2.imdecode(
            np.frombuffer(data, np.uint8),
            cv2.IMREAD_COLOR if flags is None else flags,
        )
    except cv2.error as error:
        raise UnusableFileError(
            f'the file cannot be decoded ({error.err})', path, _FIX
        ) from error
    if pixels is None:
        raise UnusableFileError('the file cannot be decoded', path, _FIX)
    return pixels


def read_image(
    path: str | Path, flags: int | None = None, max_pixels: int = MAX_PIXELS
) -> np.ndarray:
    """Read a picture file; see :func:`decode_image`.

    Raises:
        UnusableFileError: not a file, or no picture that can be used.
    """
    return decode_image(
        read_bytes(path, MAX_IMAGE_BYTES), path, flags, max_pixels
    )


def palette_indices(data: bytes) -> bytes:
    """Return a PNG with a palette as one whose colours are their indices.

    Decoders replace indices by colours, and two indices may have one colour.
    A palette of greys, the index of each its own brightness, keeps them.

    Args:
        data: any file; all but whole PNGs with a palette come back as given.
    """
    if data[:8] != b'\x89PNG\r\n\x1a\n' or data[25:26] != b'\x03':
        return data
    if _find_png_damage(data) is not None:
        return data
    greys = bytes(level for level in range(256) for _ in range(3))
    parts, position = [data[:8]], 8
    while position < len(data):
        length, kind = struct.unpack_from('>I4s', data, position)
        end = position + 12 + length
        if kind == b'PLTE':
            body = kind + greys[:length]
            parts.append(struct.pack('>I', length) + body)
            parts.append(struct.pack('>I', zlib.crc32(body)))
        elif kind != b'tRNS':
            parts.append(data[position:end])
        if kind == b'IEND':
            break
        position = end
    return b''.join(parts)


def write_image(path: str | Path, image: np.ndarray) -> None:
    """Write an image to a file that is either complete or not there.

    Args:
        path: target; the ending (``.png``, ``.jpg``) decides the format.
            Missing folders are made.
        image: (H, W, 3) uint8 RGB.

    Raises:
        UnusableFileError: the ending names no image format.
        OSError: the file cannot be written; says where and why.
    """
    import cv2

    check_image_format(path)
    _, data = cv2.imencode(Path(path).suffix, image[..., ::-1])
    write_bytes(path, data.tobytes())


def check_image_format(path: str | Path) -> None:
    """Check that an image can be written to a file of that name.

    Raises:
        UnusableFileError: the ending names no image format.

    Example:
        >>> check_image_format('sheet.png')
        >>> check_image_format('sheet.xyz')
        Traceback (most recent call last):
        mmd2a.files.errors.UnusableFileError: ...
    """
    import cv2

    suffix = Path(path).suffix
    if not suffix or not cv2.haveImageWriter(f'image{suffix}'):
        raise UnusableFileError(
            'cannot tell the image format', path, 'end it in .png or .jpg'
        )


def _find_damage(data: bytes) -> str | None:
    """Say what is wrong where decoders fill in grey and go on."""
    if data.startswith(b'\x89PNG'):
        return _find_png_damage(data)
    if data.startswith(b'\xff\xd8') and _is_truncated_jpeg(data):
        return 'truncated'
    return None


def _find_png_damage(data: bytes) -> str | None:
    view = memoryview(data)
    position = 8
    while position + 12 <= len(data):
        end = (
            position + 8 + int.from_bytes(view[position : position + 4], 'big')
        )
        if end + 4 > len(data):
            break
        checksum = zlib.crc32(view[position + 4 : end])
        if checksum != int.from_bytes(view[end : end + 4], 'big'):
            return 'damaged'
        if view[position + 4 : position + 8] == b'IEND':
            return None
        position = end + 4
    return 'truncated'


def _is_truncated_jpeg(data: bytes) -> bool:
    """Whether a JPEG ends before its end marker."""
    if data.endswith(b'\xff\xd9'):
        return False
    # No end marker at the very end: cameras append other data after it, so
    # walk the segments. Those before a scan state their length; a scan ends
    # at the next marker.
    position = 2
    while position + 4 <= len(data):
        marker = data[position + 1]
        if data[position] != 0xFF:
            return False  # Not a marker: for the decoder to judge.
        if marker == 0xFF:
            position += 1  # A fill byte.
            continue
        if marker == 0xD9:
            return False
        position += 2 + int.from_bytes(
            data[position + 2 : position + 4], 'big'
        )
        if marker == 0xDA:
            scan_end = _SCAN_END.search(data, position)
            if scan_end is None:
                return True
            position = scan_end.start()
    return data[position : position + 2] != b'\xff\xd9'


def _jpeg_size(data: bytes) -> tuple[int, int]:
    position = 2
    while True:
        marker, length = struct.unpack_from('>HH', data, position)
        if marker == 0xFFFF:
            position += 1
            continue
        if marker >> 8 != 0xFF:
            raise ValueError('no marker')
        if marker & 0xFF in _FRAMES:
            height, width = struct.unpack_from('>HH', data, position + 5)
            return width, height
        position += 2 + length


def _png_size(data: bytes) -> tuple[int, int]:
    if data[12:16] != b'IHDR':
        raise ValueError('no IHDR')
    return struct.unpack_from('>II', data, 16)


def _bmp_size(data: bytes) -> tuple[int, int]:
    if int.from_bytes(data[14:18], 'little') == 12:
        return struct.unpack_from('<HH', data, 18)
    width, height = struct.unpack_from('<ii', data, 18)
    return width, abs(height)


def _gif_size(data: bytes) -> tuple[int, int]:
    return struct.unpack_from('<HH', data, 6)


def _webp_size(data: bytes) -> tuple[int, int]:
    kind = data[8:16]
    if kind == b'WEBPVP8X':
        width = int.from_bytes(data[24:27], 'little') + 1
        return width, int.from_bytes(data[27:30], 'little') + 1
    if kind == b'WEBPVP8L':
        bits = struct.unpack_from('<I', data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b'WEBPVP8 ':
        width, height = struct.unpack_from('<HH', data, 26)
        return width & 0x3FFF, height & 0x3FFF
    raise ValueError('no WebP')


def _tiff_size(data: bytes) -> tuple[int, int]:
    """Width and height of the first page, which is the one decoded."""
    order = '<' if data.startswith(b'II') else '>'
    offset = struct.unpack_from(f'{order}I', data, 4)[0]
    sizes: dict[int, int] = {}
    for i in range(struct.unpack_from(f'{order}H', data, offset)[0]):
        entry = offset + 2 + 12 * i
        tag, kind = struct.unpack_from(f'{order}HH', data, entry)
        if tag in (256, 257):
            form = {3: 'H', 4: 'I'}[kind]
            sizes[tag] = struct.unpack_from(order + form, data, entry + 8)[0]
    return sizes[256], sizes[257]


def _pnm_size(data: bytes) -> tuple[int, int]:
    match = _PNM.match(data)
    if match is None:
        raise ValueError('no PNM')
    return int(match[1]), int(match[2])


_READERS: dict[bytes, Callable[[bytes], tuple[int, int]]] = {
    b'\x89PNG\r\n\x1a\n': _png_size,
    b'\xff\xd8': _jpeg_size,
    b'BM': _bmp_size,
    b'RIFF': _webp_size,
    b'II*\0': _tiff_size,
    b'MM\0*': _tiff_size,
    b'GIF8': _gif_size,
    **{b'P%d' % i: _pnm_size for i in range(1, 7)},
}

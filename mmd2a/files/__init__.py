"""Files: written whole or not at all, read only when they can be trusted.

Whatever this package writes goes through the writers here, and whatever data
it reads through the readers: they take regular files only, bound what they
read and decode, run nothing, and name the file and the mend when one cannot
be used (:class:`UnusableFileError`).
"""

from mmd2a.files.arrays import npz_names, read_npy, read_npz
from mmd2a.files.errors import UnusableFileError
from mmd2a.files.images import (
    MAX_IMAGE_BYTES,
    MAX_PIXELS,
    check_image_format,
    decode_image,
    image_size,
    palette_indices,
    read_image,
    write_image,
)
from mmd2a.files.reading import (
    MAX_BYTES,
    open_regular_file,
    read_bytes,
    read_json,
    read_text,
    read_yaml,
)
from mmd2a.files.writing import (
    json_text,
    remove_incomplete_files,
    whole_file,
    write_bytes,
    write_json,
    write_text,
)

__all__ = [
    'MAX_BYTES',
    'MAX_IMAGE_BYTES',
    'MAX_PIXELS',
    'UnusableFileError',
    'check_image_format',
    'decode_image',
    'image_size',
    'json_text',
    'npz_names',
    'open_regular_file',
    'palette_indices',
    'read_bytes',
    'read_image',
    'read_json',
    'read_npy',
    'read_npz',
    'read_text',
    'read_yaml',
    'remove_incomplete_files',
    'whole_file',
    'write_bytes',
    'write_image',
    'write_json',
    'write_text',
]

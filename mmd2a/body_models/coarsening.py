"""Coarse meshes of any body, and the way back to the full one."""
import hashlib
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import splu
from scipy.spatial import cKDTree

__all__ = ['MeshCoarsening', 'coarsen_mesh']

_NEIGHBOURS = 12
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


def coarsen_mesh(v_template: np.ndarray, faces: np.ndarray,
                 num_vertices: int = 431) -> MeshCoarsening:
    r"""Choose evenly spread vertices and interpolate between them.

    Vertices are taken one by one, each the farthest from those before. The
    others are filled in so that every vertex stays, as well as it can, the
    affine combination of its neighbours that it is in the rest mesh:

    .. math:: \min_x \lVert M x \rVert^2 \quad \text{with} \quad
              x_{ids} = coarse, \qquad M 1 = 0, \; M v_{template} \approx 0

    Constant, and nearly all affine, motions of a body part are therefore
    reproduced, in the rest pose and in any other. No skinning is needed, so
    this works for any closed or open mesh. Deterministic; cached in-process
    by content.

    V: vertices, F: faces, K: ``num_vertices``.

    Args:
        v_template: rest vertices (V, 3), m.
        faces: triangles (F, 3).
        num_vertices: number of coarse vertices K.

    Roweis and Saul, "Nonlinear Dimensionality Reduction by Locally Linear
    Embedding", Science 2000 (the weights in M).

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
        raise ValueError(f'v_template has shape {vertices.shape}, expected '
                         f'(V, 3)')
    if triangles.ndim != 2 or triangles.shape[1] != 3:
        raise ValueError(f'faces have shape {triangles.shape}, expected '
                         f'(F, 3)')
    if not 4 <= num_vertices <= len(vertices):
        raise ValueError(f'num_vertices={num_vertices} is not between 4 and '
                         f'the {len(vertices)} vertices of the mesh')
    key = hashlib.sha256(vertices.tobytes() + triangles.tobytes()
                         + str(num_vertices).encode()).hexdigest()
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


def _coarsen(vertices: np.ndarray, faces: np.ndarray, num_coarse: int
             ) -> MeshCoarsening:
    total = len(vertices)
    ids = np.sort(_farthest_points(vertices, num_coarse))
    graph = _connected_graph(vertices, faces)
    down = np.zeros((num_coarse, total), np.float32)
    down[np.arange(num_coarse), ids] = 1
    return MeshCoarsening(ids, _voronoi_faces(graph, faces, ids), down,
                          _fill_in(_affine_weights(vertices, graph), ids))


def _farthest_points(vertices: np.ndarray, count: int) -> np.ndarray:
    ids = np.empty(count, np.int64)
    ids[0] = np.argmax(np.linalg.norm(vertices - vertices.mean(0), axis=1))
    distance = np.full(len(vertices), np.inf)
    for i in range(1, count):
        offset = vertices - vertices[ids[i - 1]]
        np.minimum(distance, (offset * offset).sum(1), out=distance)
        ids[i] = distance.argmax()
    return ids


def _connected_graph(vertices: np.ndarray, faces: np.ndarray
                     ) -> sparse.csr_matrix:
    """Edges weighted by length; loose parts are tied to the largest one."""
    start = faces[:, [0, 1, 2]].ravel()
    end = faces[:, [1, 2, 0]].ravel()
    total = len(vertices)
    links = sparse.coo_matrix((np.ones(len(start)), (start, end)),
                              (total, total))
    _, label = connected_components(links, directed=False)
    main = np.flatnonzero(label == np.bincount(label).argmax())
    loose = np.flatnonzero(label != np.bincount(label).argmax())
    if len(loose):
        _, near = cKDTree(vertices[main]).query(vertices[loose],
                                                min(4, len(main)))
        near = main[near.reshape(len(loose), -1)]
        start = np.concatenate([start, np.repeat(loose, near.shape[1])])
        end = np.concatenate([end, near.ravel()])
    pairs = np.unique(np.sort(np.stack([start, end], 1), 1), axis=0)
    length = np.linalg.norm(vertices[pairs[:, 0]] - vertices[pairs[:, 1]],
                            axis=1)
    graph = sparse.coo_matrix((np.maximum(length, 1e-9), tuple(pairs.T)),
                              (total, total))
    return (graph + graph.T).tocsr()


def _affine_weights(vertices: np.ndarray, graph: sparse.csr_matrix
                    ) -> sparse.csr_matrix:
    """Rows of M: each vertex less its combination of near neighbours."""
    total = len(vertices)
    ring = graph.astype(bool)
    ring = (ring + ring @ ring).tocoo()
    apart = ring.row != ring.col
    row, col = ring.row[apart], ring.col[apart]
    distance = np.linalg.norm(vertices[row] - vertices[col], axis=1)
    order = np.lexsort((col, distance, row))
    row, col = row[order], col[order]
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    keep = rank < _NEIGHBOURS
    row, col, rank = row[keep], col[keep], rank[keep]
    near = np.zeros((total, _NEIGHBOURS), np.int64)
    used = np.zeros((total, _NEIGHBOURS), bool)
    near[row, rank], used[row, rank] = col, True

    offset = (vertices[near] - vertices[:, None]) * used[..., None]
    gram = offset @ offset.transpose(0, 2, 1)
    scale = np.trace(gram, axis1=1, axis2=2)[:, None] / _NEIGHBOURS
    # The ring of a vertex is nearly flat: without this term its weights
    # would be large and of both signs. Unused slots get none.
    ridge = np.where(used, 1e-2 * scale, 1e9 * scale + 1e-12)
    gram += ridge[:, :, None] * np.eye(_NEIGHBOURS)
    weight = np.linalg.solve(gram, used[..., None].astype(float))[..., 0]
    weight *= used
    weight /= weight.sum(1, keepdims=True)
    combination = sparse.coo_matrix(
        (weight[used], (np.nonzero(used)[0], near[used])), (total, total))
    return (sparse.identity(total) - combination).tocsr()


def _fill_in(matrix: sparse.csr_matrix, ids: np.ndarray) -> np.ndarray:
    """Minimise ``|M x|`` with x given at ``ids``: dense (V, K)."""
    total = matrix.shape[0]
    free = np.setdiff1d(np.arange(total), ids)
    up = np.zeros((total, len(ids)))
    up[ids, np.arange(len(ids))] = 1
    if len(free):
        inner, given = matrix[:, free], matrix[:, ids]
        normal = (inner.T @ inner).tocsc()
        factor = splu(normal, permc_spec='MMD_AT_PLUS_A',
                      options={'SymmetricMode': True})
        up[free] = -factor.solve((inner.T @ given).toarray())
    up /= up.sum(1, keepdims=True)
    return up.astype(np.float32)


def _voronoi_faces(graph: sparse.csr_matrix, faces: np.ndarray,
                   ids: np.ndarray) -> np.ndarray:
    """Connect coarse vertices whose regions meet at a triangle."""
    _, _, source = dijkstra(graph, indices=ids, min_only=True,
                            return_predecessors=True)
    coarse = np.searchsorted(ids, source)[faces]
    distinct = ((coarse[:, 0] != coarse[:, 1])
                & (coarse[:, 1] != coarse[:, 2])
                & (coarse[:, 2] != coarse[:, 0]))
    _, first = np.unique(np.sort(coarse[distinct], 1), axis=0,
                         return_index=True)
    return coarse[distinct][np.sort(first)].astype(np.int64)

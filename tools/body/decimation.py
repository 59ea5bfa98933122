"""Decimate a left-right symmetric mesh and keep it symmetric.

One half is simplified and mirrored, so that every vertex has an exact mirror
vertex. Attributes follow by barycentric coordinates on the original surface.
V: original vertices, n: vertices left.
"""

from typing import NamedTuple

import fast_simplification
import numpy as np
import trimesh
from scipy import sparse

_MIDLINE = 1e-4


class Decimation(NamedTuple):
    """A smaller mesh and how it follows from the original."""

    transfer: sparse.csr_matrix  # (n, V): smaller = transfer @ original
    faces: np.ndarray  # (F, 3)
    mirror_vertices: np.ndarray  # (n,)
    locate: sparse.csr_matrix  # (V, n): original points on the smaller mesh


def decimate(
    vertices: np.ndarray, faces: np.ndarray, mirror: np.ndarray, num_faces: int
) -> Decimation:
    """Simplify by quadric error to about ``num_faces`` triangles."""
    split, points, half = _cut_in_half(vertices, faces, mirror)
    used, half = np.unique(half, return_inverse=True)
    half = half.reshape(-1, 3)
    small, small_faces = fast_simplification.simplify(
        points[used].astype(np.float32),
        half.astype(np.int32),
        target_count=num_faces // 2,
        agg=2,
    )
    middle = np.abs(small[:, 0]) < _MIDLINE
    small = small.astype(np.float64)
    small[middle, 0] = 0.0

    rows = _on_surface(points[used], half, small)
    rows = (rows @ split[used]).tocsr()
    mirrored = rows[:, mirror]
    rows_middle = 0.5 * (rows + mirrored)
    keep = sparse.diags(middle.astype(float))
    rows = keep @ rows_middle + (sparse.identity(len(small)) - keep) @ rows

    count = len(small)
    twin = np.arange(count)
    twin[~middle] = count + np.arange((~middle).sum())
    mirror_small = np.concatenate([twin, np.flatnonzero(~middle)])
    all_faces = np.concatenate([small_faces, twin[small_faces][:, ::-1]])
    transfer = sparse.vstack([rows, mirrored[~middle]]).tocsr()
    small = transfer @ vertices
    return Decimation(
        transfer,
        all_faces.astype(np.int64),
        mirror_small,
        _on_surface(small, all_faces, vertices),
    )


def _cut_in_half(
    vertices: np.ndarray, faces: np.ndarray, mirror: np.ndarray
) -> tuple[sparse.csr_matrix, np.ndarray, np.ndarray]:
    """Faces at x >= 0; the few that straddle the middle are split there.

    Returns the matrix that adds the split points (V', V), the points (V', 3)
    and the half's faces over them.
    """
    total = len(vertices)
    side = np.where(
        mirror == np.arange(total), 0, np.sign(vertices[:, 0])
    ).astype(int)
    sides = side[faces]
    half = faces[(sides >= 0).all(1)].tolist()
    extra: dict[int, int] = {}
    for face in faces[(sides < 0).any(1) & (sides > 0).any(1)]:
        positive = [v for v in face if side[v] > 0]
        if len(positive) != 1 or mirror[positive[0]] not in face:
            raise RuntimeError('a face across the middle is not symmetric')
        new = extra.setdefault(positive[0], total + len(extra))
        half.append([new if side[v] < 0 else v for v in face])
    pairs = np.array([[v, mirror[v]] for v in extra]).reshape(-1, 2)
    added = sparse.coo_matrix(
        (
            np.full(pairs.size, 0.5),
            (np.repeat(np.arange(len(pairs)), 2), pairs.ravel()),
        ),
        (len(pairs), total),
    )
    split = sparse.vstack([sparse.identity(total), added]).tocsr()
    points = split @ vertices
    points[total:, 0] = 0.0
    points[:total][side == 0, 0] = 0.0
    return split, points, np.array(half)


def _on_surface(
    vertices: np.ndarray, faces: np.ndarray, points: np.ndarray
) -> sparse.csr_matrix:
    """Barycentric rows (P, V) of the nearest surface points."""
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    nearest, _, triangle = trimesh.proximity.closest_point(mesh, points)
    share = trimesh.triangles.points_to_barycentric(
        mesh.triangles[triangle], nearest
    )
    share = np.clip(share, 0, 1)
    share /= share.sum(1, keepdims=True)
    return sparse.coo_matrix(
        (
            share.ravel(),
            (
                np.repeat(np.arange(len(points)), 3),
                mesh.faces[triangle].ravel(),
            ),
        ),
        (len(points), len(vertices)),
    ).tocsr()


def transfer_uv(
    vertices: np.ndarray,
    faces: np.ndarray,
    uv: np.ndarray,
    uv_faces: np.ndarray,
    small: np.ndarray,
    small_faces: np.ndarray,
) -> np.ndarray:
    """Texture coordinates (F, 3, 2) of the smaller mesh's face corners.

    A corner takes the coordinates of its nearest original point; across a
    seam it continues those of the triangle under the face's centre instead.
    """
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    nearest, _, triangle = trimesh.proximity.closest_point(mesh, small)
    own = trimesh.triangles.points_to_barycentric(
        mesh.triangles[triangle], nearest
    )
    own_uv = (uv[uv_faces[triangle]] * own[..., None]).sum(1)
    centre = small[small_faces].mean(1)
    _, _, triangle = trimesh.proximity.closest_point(mesh, centre)
    corners, chart = mesh.triangles[triangle], uv[uv_faces[triangle]]
    result = np.empty((len(small_faces), 3, 2))
    for k in range(3):
        vertex = small_faces[:, k]
        share = np.clip(
            trimesh.triangles.points_to_barycentric(corners, small[vertex]),
            -2,
            3,
        )
        continued = (chart * share[..., None]).sum(1)
        far = np.linalg.norm(own_uv[vertex] - chart.mean(1), axis=1) > 0.05
        result[:, k] = np.where(far[:, None], continued, own_uv[vertex])
    return result

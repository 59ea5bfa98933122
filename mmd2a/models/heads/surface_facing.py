"""Which way the surface of a mesh looks at some of its vertices."""

import torch
from torch import Tensor

__all__ = ['surface_facing', 'vertex_rings']


def vertex_rings(faces: Tensor, vertex_ids: Tensor) -> Tensor:
    """Faces around vertices.

    F: faces, T: vertices, R: most faces around one of them.

    Args:
        faces: (F, 3), seen counter-clockwise from outside.
        vertex_ids: (T,).

    Returns:
        (T, R, 3): the faces, each turned so that it starts with the vertex;
        rows of that vertex alone fill up.

    Example:
        >>> faces = torch.tensor([[0, 1, 2], [2, 1, 3]])
        >>> vertex_rings(faces, torch.tensor([1, 0]))
        tensor([[[1, 2, 0],
                 [1, 3, 2]],
        <BLANKLINE>
                [[0, 1, 2],
                 [0, 0, 0]]])
    """
    turned = torch.cat([faces.roll(-i, 1) for i in range(3)])
    rings = [turned[turned[:, 0] == vertex] for vertex in vertex_ids]
    longest = max(len(ring) for ring in rings)
    padded = vertex_ids[:, None, None].repeat(1, longest, 3)
    for row, ring in zip(padded, rings):
        row[: len(ring)] = ring
    return padded


def surface_facing(vertices: Tensor, rings: Tensor) -> Tensor:
    """Tell how far the surface at vertices faces the camera.

    B: batch, V: vertices, T: vertices asked for. OpenCV camera frame.

    Args:
        vertices: (B, V, 3).
        rings: (T, R, 3), of :func:`vertex_rings`.

    Returns:
        (B, T), cosine of the angle between the outward normal and the
        direction against the view, -z: 1 faces the camera, -1 looks away;
        0 where there is no surface.

    Example:
        >>> mesh = torch.tensor([[[0., 0, 0], [0, 1, 0], [1, 0, 0]]])
        >>> surface_facing(mesh, torch.tensor([[[0, 1, 2]], [[0, 2, 1]]]))
        tensor([[ 1., -1.]])
    """
    corners = vertices[:, rings]
    first, second, third = corners.unbind(-2)
    normal = torch.linalg.cross(second - first, third - first).sum(2)
    length = normal.square().sum(-1).clamp_min(1e-20).sqrt()
    return -normal[..., 2] / length

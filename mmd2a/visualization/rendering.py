"""Shade a mesh into an image with soft edges."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmd2a.geometry.rasterization import rasterize_faces, vertex_normals
from mmd2a.geometry.scan_conversion import FloatArray, IntArray

SKIN = (0.66, 0.75, 0.87)  # the pale blue of body-mesh figures

# Towards the light: above, to the left and behind the camera.
_KEY_LIGHT = np.array([-0.45, -0.7, -0.55])
# Samples per pixel and axis.
_SUPERSAMPLE = 2
# Depth, in widths of a sample, over which the samples of a pixel still lie on
# one surface: its slope is steeper only close to the outline.
_SLOPE = 6
_NEAR = 0.05
# Pixels shaded at a time.
_PIECE = 8192


def render_mesh(
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    size: tuple[int, int],
    color: tuple[float, float, float] = SKIN,
    vertex_colors: ArrayLike | None = None,
) -> NDArray[np.float32]:
    r"""Draw a shaded mesh over nothing.

    Each colour is scaled by :math:`a + d\,(1 + n \cdot l) / 2` (half Lambert,
    from the light l) and brightened at the rim by
    :math:`r\,(1 - n \cdot v)^3` (v towards the camera). Four samples per pixel
    make the outline soft.

    V: vertices, F: faces, H W: image.

    Args:
        vertices: (V, 3) OpenCV camera frame, metres.
        faces: (F, 3) vertex indices.
        K: (3, 3) intrinsics, pixels.
        size: (H, W).
        color: RGB in [0, 1] of the whole mesh.
        vertex_colors: (V, 3) RGB in [0, 1], instead of ``color``. Shaded more
            gently, so that the colours can be read against a colour bar.

    Returns:
        (H, W, 4) float32 RGBA in [0, 1], RGB already multiplied by alpha.

    Example:
        >>> K = np.array([[8., 0, 3.5], [0, 8, 3.5], [0, 0, 1]])
        >>> triangle = [[-2., -2, 2], [2, -2, 2], [-2, 2, 2]]
        >>> rgba = render_mesh(triangle, [[0, 1, 2]], K, (8, 8))
        >>> rgba[0, 0, 3], rgba[7, 7, 3]
        (np.float32(1.0), np.float32(0.0))
    """
    height, width = size
    image = np.zeros((height, width, 4), np.float32)
    box, rgba = render_window(vertices, faces, K, size, color, vertex_colors)
    image[box] = rgba
    return image


def render_window(
    vertices: ArrayLike,
    faces: ArrayLike,
    K: ArrayLike,
    size: tuple[int, int],
    color: tuple[float, float, float] = SKIN,
    vertex_colors: ArrayLike | None = None,
) -> tuple[tuple[slice, slice], NDArray[np.float32]]:
    """Draw as :func:`render_mesh` does, only the window that holds the mesh.

    h w: window.

    Args:
        vertices, faces, K, size, color, vertex_colors: see
            :func:`render_mesh`.

    Returns:
        Rows and columns of the window within (H, W), and its RGBA
        (h, w, 4); everything around it is empty.
    """
    points: FloatArray = np.asarray(vertices, np.float64)
    corners: IntArray = np.asarray(faces, np.intp).reshape(-1, 3)
    rows, columns = window = _window(points, np.asarray(K), size)
    height, width = rows.stop - rows.start, columns.stop - columns.start
    n = _SUPERSAMPLE
    # From pixels of the image to samples of the window.
    finer = np.array(
        [
            [n, 0, (n - 1) / 2 - n * columns.start],
            [0, n, (n - 1) / 2 - n * rows.start],
            [0, 0, 1],
        ]
    )
    finer = finer @ np.asarray(K)
    focal = finer[0, 0]
    inverse_depth, face = rasterize_faces(
        points, corners, finer, (n * height, n * width)
    )
    look = _Look.of(points, corners, finer, color, vertex_colors)
    rgba = np.zeros((height * width, 4), np.float32)

    seen = face >= 0
    seen = (
        seen[::n, ::n] | seen[1::n, 1::n] | seen[::n, 1::n] | seen[1::n, ::n]
    )
    drawn = np.flatnonzero(seen)
    y, x = np.divmod(drawn, max(width, 1))
    # Four samples of each pixel: of both diagonals the two ends.
    samples = [(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)]
    first = n * n * width * y + n * x
    places = [first, first + n * width + 1, first + 1, first + n * width]
    faces_of = np.stack([face.ravel().take(place) for place in places])
    hit = faces_of >= 0
    rgba[drawn, 3] = hit.mean(0, dtype=np.float32)
    inverse = np.stack([inverse_depth.ravel().take(at) for at in places])
    far = inverse.min(0)
    # One face is shaded in the middle of its samples. Where they lie on one
    # surface, each on a face of the first diagonal, this diagonal says enough.
    a, b, c, d = faces_of
    single = (a == b) & (a == c) & (a == d)
    pair = ((c == a) | (c == b)) & ((d == a) | (d == b)) & ~single
    pair &= inverse.max(0) - far < _SLOPE * far / focal
    for group, points_of in (
        (single, [(0.5, 0.5)]),
        (pair, samples[:2]),
        (~(single | pair), samples),
    ):
        at = np.flatnonzero(group)
        of_group = np.zeros((len(at), 3), np.float32)
        left, top = n * x[at], n * y[at]
        for (i, j), of_sample in zip(points_of, faces_of):
            of_sample = of_sample[at]
            of_group += np.where(
                of_sample[:, None] >= 0,
                look.shade(of_sample, left + j, top + i),
                0,
            )
        rgba[drawn[at], :3] = of_group / len(points_of)
    return window, rgba.reshape(height, width, 4)


def paste(
    rgba: NDArray[np.floating], background: NDArray[np.uint8], alpha: float = 1
) -> NDArray[np.uint8]:
    """Lay a rendering over an image; where it is empty nothing changes.

    Args:
        rgba: (H, W, 4) from :func:`render_mesh`.
        background: (H, W, 3) uint8 RGB.
        alpha: opacity of the rendering, in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB, a new image.
    """
    height, width = rgba.shape[:2]
    return paste_window(
        rgba, (slice(0, height), slice(0, width)), background, alpha
    )


def paste_window(
    rgba: NDArray[np.floating],
    window: tuple[slice, slice],
    background: NDArray[np.uint8],
    alpha: float = 1,
) -> NDArray[np.uint8]:
    """Lay a window of :func:`render_window` over an image.

    Args:
        rgba: (h, w, 4).
        window: rows and columns of the image that ``rgba`` covers.
        background: (H, W, 3) uint8 RGB.
        alpha: opacity of the rendering, in [0, 1].

    Returns:
        (H, W, 3) uint8 RGB, a new image.
    """
    image = np.array(background, order='C')
    rows, columns = window
    drawn = np.flatnonzero(rgba[..., 3] > 0)
    y, x = np.divmod(drawn, max(rgba.shape[1], 1))
    at = (y + rows.start) * image.shape[1] + x + columns.start
    pixels = image.reshape(-1, 3)
    front = np.float32(alpha) * rgba.reshape(-1, 4).take(drawn, 0)
    blend = (1 - front[:, 3:]) * pixels.take(at, 0)
    blend += 255 * front[:, :3]
    pixels[at] = np.rint(blend).clip(0, 255).astype(np.uint8)
    return image


class _Look(NamedTuple):
    """A mesh, ready to be shaded at any pixel.

    Over a face, what its corners carry is linear in the pixel (x, y, 1) once
    it is multiplied by the length of the ray, which a direction does not mind.

    Attributes:
        planes: (C, 3, F) per channel and face the factors of (x, y, 1). The
            channels: normal; colour and the sum of weights, if given.
        rays: (3, 3) from (x, y, 1) to the direction of sight.
        color: (3,) RGB of the whole mesh.
    """

    planes: FloatArray
    rays: FloatArray
    color: FloatArray

    @classmethod
    def of(
        cls,
        vertices: FloatArray,
        faces: IntArray,
        K: FloatArray,
        color: tuple[float, float, float],
        vertex_colors: ArrayLike | None,
    ) -> '_Look':
        """Prepare a mesh."""
        channels = vertex_normals(vertices, faces).astype(np.float64)
        if vertex_colors is not None:
            ones = np.ones((len(vertices), 1))
            channels = np.concatenate([channels, vertex_colors, ones], 1)
        v0, v1, v2 = corners = vertices[faces.T]
        rays = np.linalg.inv(K)
        with np.errstate(invalid='ignore'):
            weights = np.stack(
                [np.cross(v1, v2), np.cross(v2, v0), np.cross(v0, v1)]
            )
            # Positive inside, whichever way the face turns.
            weights *= np.sign((weights[0] * corners[0]).sum(-1))[:, None]
        planes = np.einsum(
            'kfc,kfi,ij->cjf', channels[faces.T], weights, rays, optimize=True
        )
        return cls(planes, rays, np.asarray(color, np.float32))

    def shade(
        self, face: IntArray, x: NDArray, y: NDArray
    ) -> NDArray[np.float32]:
        """Colours (P, 3) of faces (P,) at pixels x (P,), y (P,)."""
        colors = np.empty((len(face), 3), np.float32)
        # Piece by piece, so that what is in between stays in the cache.
        for start in range(0, len(face), _PIECE):
            piece = slice(start, start + _PIECE)
            colors[piece] = self._shade(face[piece], x[piece], y[piece]).T
        return colors

    def _shade(self, face: IntArray, x: NDArray, y: NDArray) -> NDArray:
        """Do the work of :meth:`shade`; (3, P)."""
        x, y = x.astype(np.float64), y.astype(np.float64)
        channels = np.empty((len(self.planes), len(face)), np.float32)
        for channel, (a, b, c) in zip(channels, self.planes):
            channel[:] = a.take(face) * x + b.take(face) * y + c.take(face)
        normal = _unit(channels[:3])
        view = self.rays[:, :2] @ np.stack([x, y]) + self.rays[:, 2:]
        view = _unit(-view.astype(np.float32))
        facing = (normal * view).sum(0)
        # A surface seen from behind is lit from the side that is seen.
        towards = _unit(_KEY_LIGHT).astype(np.float32) @ normal
        half_lambert = 0.5 + 0.5 * np.where(facing < 0, -towards, towards)
        half_lambert = half_lambert.clip(0, 1)
        light = 0.22 + 0.88 * half_lambert * np.sqrt(half_lambert)
        edge = 1 - np.minimum(np.abs(facing), 1)
        rim = 0.22 * edge * edge * edge
        if len(channels) == 3:
            return (self.color[:, None] * light + rim).clip(0, 1)
        albedo = channels[3:6] / np.maximum(channels[6], 1e-30)
        strength = 0.55
        light = 1 - strength * (1 - light)
        return (albedo * light + strength * rim).clip(0, 1)


def _window(
    vertices: FloatArray, K: FloatArray, size: tuple[int, int]
) -> tuple[slice, slice]:
    """Rows and columns that the mesh can touch; none if it touches none."""
    height, width = size
    finite = vertices[np.isfinite(vertices).all(1)]
    if not len(finite) or finite[:, 2].max() < _NEAR:
        return slice(0, 0), slice(0, 0)
    if finite[:, 2].min() < _NEAR:
        # Cut at the near plane it may reach anywhere.
        return slice(0, height), slice(0, width)
    pixels = finite @ K.T
    pixels = pixels[:, :2] / pixels[:, 2:]
    low = np.floor(pixels.min(0)).clip(0, (width, height)).astype(int)
    high = np.ceil(pixels.max(0) + 1).clip(low, (width, height)).astype(int)
    return slice(low[1], high[1]), slice(low[0], high[0])


def _unit(vectors: NDArray) -> NDArray:
    """Scale vectors (3, ...) to length 1."""
    length = np.sqrt((vectors * vectors).sum(0))
    return vectors / np.where(length > 0, length, 1)

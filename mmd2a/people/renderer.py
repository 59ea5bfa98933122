"""From a scene to images, in five stages.

1. Geometry: the body (triangles) and the room (rectangles) are drawn into
   separate z-buffers; the nearer one is seen, the body's own buffer is the
   amodal mask.
2. Surface: material, coordinates and normal of every pixel.
3. Albedo: patterns and colours of the materials, the painted face.
4. Light: a lamp with a shadow map, light from around, crevices darkened.
5. Lens and sensor: exposure, tone curve, blur, noise.

H W: image, N = H * W pixels, V: vertices, F: faces. Arrays of pixels are
flat; frames and units as in :mod:`.scene`.
"""

from typing import NamedTuple

import cv2
import numpy as np

from mmd2a.geometry.rasterization import (
    Raster,
    rasterize_depth,
    vertex_normals,
)
from mmd2a.people.lens import Lens, develop
from mmd2a.people.looks import (
    NUM_LAYERS,
    SKIN,
    Look,
    surface_coordinates,
    surface_fields,
)
from mmd2a.people.materials import Palette
from mmd2a.people.rectangles import Surface, draw_rectangles
from mmd2a.people.scene import Camera, Light, Scene

__all__ = ['Geometry', 'draw_geometry', 'shade']

# The shadow map covers this half width around the person, metres.
_SHADOW_SIZE, _SHADOW_REACH, _SHADOW_DISTANCE = 224, 1.9, 14.0
_SHADOW_BIAS = 0.025


class Geometry(NamedTuple):
    """Both z-buffers of an image.

    Attributes:
        body: the person alone.
        room: everything else.
        visible: (H, W) bool, where the person is nearer.
        depth: (H, W) float32 metres of the whole scene; inf for the sky.
    """

    body: Raster
    room: Surface
    visible: np.ndarray
    depth: np.ndarray


def draw_geometry(body: Raster, scene: Scene, camera: Camera) -> Geometry:
    """Draw the scene into a z-buffer and compare it with the person's.

    Args:
        body: the clothed person, drawn by the same camera.
        scene: the rest, in the world.
        camera: of the body's image size.
    """
    rotation = camera.rotation
    height, width = body.depth.shape
    room = draw_rectangles(
        scene.rectangles.moved(rotation, -rotation @ camera.position),
        camera.K,
        (height, width),
    )
    visible = body.depth < room.depth
    return Geometry(body, room, visible, np.minimum(body.depth, room.depth))


def shade(
    geometry: Geometry,
    vertices: np.ndarray,
    faces: np.ndarray,
    look: Look,
    scene: Scene,
    camera: Camera,
    light: Light,
    lens: Lens,
) -> np.ndarray:
    """Colour what :func:`draw_geometry` has drawn.

    Returns:
        np.ndarray: (H, W, 3) uint8 BGR.
    """
    size = len(geometry.depth)
    seen = geometry.visible.ravel()
    on_body = np.flatnonzero(seen)
    sky = ~np.isfinite(geometry.depth)
    depth = np.where(sky, 60, geometry.depth).astype(np.float32)
    ray = _rays(camera.K, size)

    normal = _normals(geometry, vertices, faces, scene, camera, on_body)
    albedo, gloss = _albedo(
        geometry, faces, look, scene, camera, on_body, depth, normal
    )
    points = ray * depth.reshape(1, -1)
    shadow = _shadow(points, vertices, faces, scene, camera, light, size)
    image = _light(
        albedo, gloss, normal, ray, shadow, _crevices(depth), camera, light
    )
    if sky.any():
        height = np.broadcast_to(
            np.linspace(1.8, 1.2, size)[:, None], (size, size)
        )[sky]
        image[:, sky.ravel()] = light.sky[:, None] * height
    return develop(cv2.merge(list(image.reshape(3, size, size))), lens)


def _rays(K: np.ndarray, size: int) -> np.ndarray:
    """Directions (3, N) of the pixels with z = 1."""
    axis = np.arange(size)
    x, y = np.meshgrid((axis - K[0, 2]) / K[0, 0], (axis - K[1, 2]) / K[1, 1])
    return np.stack([x.ravel(), y.ravel(), np.ones(size * size)]).astype(
        np.float32
    )


def _normals(
    geometry: Geometry,
    vertices: np.ndarray,
    faces: np.ndarray,
    scene: Scene,
    camera: Camera,
    on_body: np.ndarray,
) -> np.ndarray:
    """Unit normals (3, N) in the camera frame, towards the viewer."""
    rectangles = scene.rectangles
    flat = np.cross(rectangles.a, rectangles.b) @ camera.rotation.T
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    corner = (rectangles.corner - camera.position) @ camera.rotation.T
    flat *= np.where((flat * corner).sum(1) > 0, -1, 1)[:, None]
    # The last column stands for the sky (index -1).
    flat = np.concatenate([flat, [[0, 0, -1]]]).T.astype(np.float32, 'C')
    normal = flat.take(geometry.room.rectangle.ravel(), 1)
    smooth = _interpolate(
        geometry.body, faces, on_body, vertex_normals(vertices, faces)
    )
    smooth /= np.sqrt((smooth**2).sum(0)) + np.float32(1e-9)
    normal[:, on_body] = smooth
    return normal


def _interpolate(
    raster: Raster,
    faces: np.ndarray,
    pixels: np.ndarray,
    attributes: np.ndarray,
) -> np.ndarray:
    """Vertex attributes (V, C) at some pixels of a raster: (C, pixels)."""
    corners = faces.take(raster.face.ravel().take(pixels), 0).T
    weights = raster.barycentric.reshape(-1, 3).take(pixels, 0).T
    columns = np.ascontiguousarray(attributes.T)
    value = columns.take(corners[0], 1) * weights[0]
    for i in (1, 2):
        value += columns.take(corners[i], 1) * weights[i]
    return value


def _albedo(
    geometry: Geometry,
    faces: np.ndarray,
    look: Look,
    scene: Scene,
    camera: Camera,
    on_body: np.ndarray,
    depth: np.ndarray,
    normal: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Linear RGB (3, N) and gloss (N,) of the surfaces."""
    palette = Palette([*look.materials, *scene.materials])
    table = np.append(scene.rectangles.material + NUM_LAYERS, SKIN)
    material = table.astype(np.int32).take(geometry.room.rectangle.ravel())
    u, v = geometry.room.u.ravel().copy(), geometry.room.v.ravel().copy()

    fields = _interpolate(geometry.body, faces, on_body, surface_fields()).T
    layer = look.layers(fields)
    material[on_body] = layer
    face = geometry.body.face.ravel().take(on_body)
    weight = geometry.body.barycentric.reshape(-1, 3).take(on_body, 0)
    place = surface_coordinates().take(face, 0)
    u[on_body], v[on_body] = np.einsum('nic,ni->cn', place, weight)

    slant = np.maximum(np.abs(normal[2]), np.float32(0.15))
    snapshot = depth.ravel() / np.float32(camera.K[0, 0]) / slant
    albedo = palette.albedo(material, u, v, snapshot)
    person = albedo[:, on_body].T
    look.paint_face(fields, layer, person)
    albedo[:, on_body] = person.T
    return albedo, palette.gloss.take(material)


def _shadow(
    points: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    scene: Scene,
    camera: Camera,
    light: Light,
    size: int,
) -> np.ndarray:
    """Share of the lamp's light that is kept off each pixel (N,)."""
    backward = -light.direction
    right = np.cross(backward, [0, 1, 0.0])
    right /= np.linalg.norm(right)
    world_to_lamp = np.stack([right, np.cross(backward, right), backward])
    to_lamp = world_to_lamp @ camera.rotation.T
    shift = np.array([0, 0, _SHADOW_DISTANCE]) - to_lamp @ (
        (vertices.min(0) + vertices.max(0)) / 2
    )
    half = (_SHADOW_SIZE - 1) / 2
    focal = half * _SHADOW_DISTANCE / _SHADOW_REACH
    K = np.array([[focal, 0, half], [0, focal, half], [0, 0, 1]])
    shape = (_SHADOW_SIZE, _SHADOW_SIZE)

    nearest = rasterize_depth(vertices @ to_lamp.T + shift, faces, K, shape)
    solid = type(scene.rectangles)(
        *(field[scene.casts_shadow] for field in scene.rectangles)
    )
    if len(solid.corner):
        solid = solid.moved(
            world_to_lamp, shift - world_to_lamp @ camera.position
        )
        nearest = np.minimum(nearest, draw_rectangles(solid, K, shape).depth)

    x, y, z = (
        to_lamp.astype(np.float32) @ points + shift.astype(np.float32)[:, None]
    )
    scale = np.float32(focal) / z
    # Points beside the lamp are further off its map than integers reach.
    column, row = (
        np.clip(
            value * scale + np.float32(half + 0.5), -1, _SHADOW_SIZE
        ).astype(np.int32)
        for value in (x, y)
    )
    inside = (
        (column >= 0)
        & (column < _SHADOW_SIZE)
        & (row >= 0)
        & (row < _SHADOW_SIZE)
    )
    place = np.where(inside, row * _SHADOW_SIZE + column, 0)
    hidden = inside & (
        z > nearest.ravel().take(place) + np.float32(_SHADOW_BIAS)
    )
    hidden = hidden.reshape(size, size).astype(np.float32)
    return cv2.GaussianBlur(hidden, (0, 0), light.softness * size).ravel()


def _crevices(depth: np.ndarray) -> np.ndarray:
    """Share of the surrounding light (N,) that reaches each pixel.

    Neighbours that stand a little before a pixel keep light from it; those
    that stand far before it belong to something else.
    """
    size = len(depth)
    small = np.ascontiguousarray(depth[::2, ::2])
    blocked = np.zeros_like(small)
    for share, weight in ((0.012, 0.6), (0.035, 0.5)):
        reach = max(int(round(share * len(small))), 1)
        padded = np.pad(small, reach, mode='edge')
        for row, column in (
            (0, 1),
            (1, 0),
            (1, 2),
            (2, 1),
            (0, 0),
            (0, 2),
            (2, 0),
            (2, 2),
        ):
            before = (
                small
                - padded[
                    row * reach : row * reach + len(small),
                    column * reach : column * reach + len(small),
                ]
            )
            near = np.clip(before * 16, 0, 1) * (before < 0.3)
            blocked += near * np.float32(weight / 8)
    blocked = cv2.GaussianBlur(blocked, (0, 0), 0.006 * size)
    blocked = cv2.resize(blocked, (size, size))
    return 1 - np.minimum(blocked, 0.75).ravel()


def _light(
    albedo: np.ndarray,
    gloss: np.ndarray,
    normal: np.ndarray,
    ray: np.ndarray,
    shadow: np.ndarray,
    openness: np.ndarray,
    camera: Camera,
    light: Light,
) -> np.ndarray:
    """Light that leaves each pixel towards the camera (3, N)."""
    lamp = (camera.rotation @ light.direction).astype(np.float32)
    up = (camera.rotation @ [0, 1, 0]).astype(np.float32)
    ground, sky, key = (
        np.asarray(x, np.float32)[:, None]
        for x in (light.ground, light.sky, light.key)
    )
    # Half of the light comes from above for a wall, all of it for a floor.
    above = (up @ normal + 1) / 2
    image = above * (sky - ground)
    image += ground
    image *= openness
    lit = 1 - shadow
    # Wrapped a little, as by skin, cloth and a lamp that is not a point.
    direct = np.clip((lamp @ normal + np.float32(0.08)) / 1.08, 0, None) * lit
    image += direct * key
    image *= albedo

    shiny = np.flatnonzero((gloss > 0) & (lit > 0))
    view = ray[:, shiny]
    half = lamp[:, None] - view / np.sqrt((view**2).sum(0))
    half /= np.sqrt((half**2).sum(0)) + np.float32(1e-6)
    spark = np.clip((normal[:, shiny] * half).sum(0), 0, 1) ** 24
    image[:, shiny] += spark * gloss[shiny] * lit[shiny] * key
    return image

"""Everything around a person: camera, room, furniture, occluders and lights.

World frame: +y up, metres, the floor at y = 0, the person around x = z = 0.
Camera frame: OpenCV. V: vertices, N: points.
"""
from typing import NamedTuple

import numpy as np

from mmd2a.datasets.synthetic_people.angles import rotation_matrix
from mmd2a.datasets.synthetic_people.materials import Material, random_material
from mmd2a.datasets.synthetic_people.rectangles import Rectangles, box, join

__all__ = ['Camera', 'Light', 'Scene', 'sample_camera', 'sample_light',
           'sample_occluder', 'sample_room']

_LOWEST_CAMERA = .15
_WORLD_TO_OPENCV = np.diag([1., -1., -1.])


class Camera(NamedTuple):
    """A pinhole camera in the world.

    Attributes:
        K: (3, 3) intrinsics, pixels.
        rotation, position: ``x_camera = rotation @ (x_world - position)``.
    """
    K: np.ndarray
    rotation: np.ndarray
    position: np.ndarray

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) in the camera frame."""
        return (points - self.position) @ self.rotation.T

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) of world points (..., 3)."""
        points = self.to_camera(points) @ self.K.T
        return points[..., :2] / np.maximum(points[..., 2:], 1e-6)


class Light(NamedTuple):
    """A far lamp that throws shadows, and light from all around.

    Attributes:
        direction: (3,) unit vector from the scene to the lamp, world.
        key, sky, ground: (3,) linear RGB of the lamp and of the light from
            above and from below.
        softness: blur of the shadows as a share of the image's size.
    """
    direction: np.ndarray
    key: np.ndarray
    sky: np.ndarray
    ground: np.ndarray
    softness: float


class Scene(NamedTuple):
    """Rectangles in the world and their materials.

    Attributes:
        rectangles: material 0 is the first of ``materials``.
        materials: as indexed by ``rectangles.material``.
        casts_shadow: (R,) whether a rectangle throws shadows.
    """
    rectangles: Rectangles
    materials: list[Material]
    casts_shadow: np.ndarray


def sample_camera(rng: np.random.Generator, vertices: np.ndarray,
                  image_size: int) -> Camera:
    """Place a camera that frames a person.

    The person covers 55 to 95 % of the image, in one of eight images it is
    closer and cut off by the border.

    Args:
        rng: source of randomness.
        vertices: (V, 3) the person in the world.
        image_size: width and height, pixels.
    """
    focal = np.exp(rng.uniform(*np.log([.95, 2.2]))) * image_size
    centre_pixel = (image_size - 1) / 2
    K = np.array([[focal, 0, centre_pixel], [0, focal, centre_pixel],
                  [0, 0, 1]])
    cut_off = rng.random() < .125
    cover = rng.uniform(1., 1.6) if cut_off else rng.uniform(.58, .95)
    elevation = np.clip(rng.normal(.12, .17), -.25, .75)
    roll = rng.normal() * .04
    place = rng.uniform(-1, 1, 2)

    points = vertices[::7]
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2
    distance = focal * max(np.linalg.norm(high - low) * .8, .6) / (
        cover * image_size)
    # Everybody in front of the camera from the start, or the steps diverge.
    nearest = np.linalg.norm(points - centre, axis=1).max() + .35
    distance = max(distance, nearest)
    # Not below the floor.
    lowest = np.arcsin(np.clip((_LOWEST_CAMERA - centre[1]) / distance,
                               -1, 1))
    elevation = max(elevation, lowest)
    rotation = (rotation_matrix(np.array([0, 0, roll])) @ _WORLD_TO_OPENCV
                @ rotation_matrix(np.array([elevation, 0, 0])))
    target = centre
    for _ in range(3):  # the extent in pixels depends on the distance itself
        camera = Camera(K, rotation, target - distance * rotation[2])
        pixel = camera.project(points)
        size = np.ptp(pixel, axis=0).max()
        distance *= np.clip(size / (cover * image_size), .6, 1.6)
        distance = max(distance, nearest)
        # Move sideways, so that the box is centred.
        middle = (pixel.min(0) + pixel.max(0)) / 2 - centre_pixel
        middle = np.clip(middle, -image_size / 2, image_size / 2)
        target = target + rotation[:2].T @ (middle * distance / focal)
    camera = Camera(K, rotation, target - distance * rotation[2])
    pixel = camera.project(points)
    extent = np.ptp(pixel, axis=0)
    slack = np.maximum(image_size - extent, 0) / 2
    if cut_off:  # show one end of the person rather than the middle
        slack = np.maximum(extent - .8 * image_size, 0) / 2 + slack
    shift = -place * slack * .8 * distance / focal
    position = camera.position + rotation[:2].T @ shift
    position[1] = max(position[1], _LOWEST_CAMERA)
    return Camera(K, rotation, position)


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a lamp or the sun, and the light of the sky or the walls."""
    azimuth = rng.uniform(-np.pi, np.pi)
    # More often from the camera's side than from behind the person.
    if np.cos(azimuth) < 0 and rng.random() < .5:
        azimuth += np.pi
    height = rng.uniform(.45, 1.25)
    direction = np.array([np.sin(azimuth) * np.cos(height), np.sin(height),
                          np.cos(azimuth) * np.cos(height)])
    warmth = rng.normal() * .10
    tint = np.array([1 + warmth, 1, 1 - warmth])
    ambient = rng.uniform(.25, .65)
    sky = ambient * (2 - tint) * rng.uniform(.85, 1.15)
    key = (1.55 - 1.3 * ambient) * tint * rng.uniform(.85, 1.2)
    return Light(direction, key, sky, sky * rng.uniform(.35, .75),
                 float(rng.uniform(.002, .010)))


def sample_room(rng: np.random.Generator, vertices: np.ndarray,
                camera: Camera, seat_height: float | None) -> Scene:
    """Build a room or an open place around a person.

    Args:
        rng: source of randomness.
        vertices: (V, 3) the person in the world.
        camera: where the person is seen from, inside the room.
        seat_height: height of a seat to put below the person, if any.
    """
    low, high = vertices.min(0), vertices.max(0)
    builder = _Builder()
    builder.add(_rectangle([-30, 0, -60], [0, 0, 90.], [60., 0, 0]),
                random_material(rng, (.5, 4.), .32, .55), False)
    behind = low[2] - rng.uniform(.3, 3.2)
    outdoors = rng.random() < .18
    if outdoors:
        behind = low[2] - rng.uniform(2, 8)
        for _ in range(rng.integers(1, 4)):  # houses, hedges
            half = np.array([rng.uniform(1, 4), rng.uniform(.6, 4),
                             rng.uniform(.3, 2)])
            centre = [rng.uniform(-8, 8), half[1],
                      behind - half[2] - rng.uniform(0, 12)]
            builder.add(box(np.array(centre), half, rng.uniform(-.4, .4), 0),
                        random_material(rng, (.8, 3.), .4, .7), True)
    else:
        _add_walls(rng, builder, behind, vertices, camera)
    _add_furniture(rng, builder, behind, low, high)
    if seat_height is not None:
        _add_seat(rng, builder, seat_height)
    return builder.scene()


def sample_occluder(rng: np.random.Generator, camera: Camera,
                    vertices: np.ndarray, heavy: bool) -> Scene:
    """Put boxes or bars between the camera and the person.

    Args:
        rng: source of randomness.
        camera: where the person is seen from.
        vertices: (V, 3) the person in the world.
        heavy: whether to hide a large part.
    """
    builder = _Builder()
    seen = camera.to_camera(vertices[::11])
    nearest = seen[:, 2].min()
    if nearest < .5:
        return builder.scene()
    ray = seen[:, :2] / seen[:, 2:]
    low, high = ray.min(0), ray.max(0)
    extent = high - low
    for _ in range(1 + int(heavy and rng.random() < .4)):
        depth = rng.uniform(.45, .85) * nearest
        thickness = .25 * (nearest - depth)
        share = rng.uniform(.35, .6) if heavy else rng.uniform(.15, .42)
        kind = rng.integers(3)
        if kind == 0:  # an upright thing: a post, a door
            size = [share * extent[0] * rng.uniform(.4, .9), extent[1]]
        elif kind == 1:  # a low thing: a table, a wall, a car
            size = [extent[0] * rng.uniform(.3, 1.), share * extent[1] * .7]
        else:  # a thing held or hung
            size = [share * extent[0] * .8, share * extent[1] * .6]
        point = low + extent * rng.uniform(.1, .9, 2)
        if kind == 1:
            point[1] = high[1] - rng.uniform(0, .2) * extent[1]
        centre = np.array([*point, 1.]) * depth
        half = np.maximum([size[0] * depth, size[1] * depth, thickness], .02)
        half[:2] = np.minimum(half[:2], 1.2)
        centre = camera.rotation.T @ centre + camera.position
        builder.add(box(centre, half, rng.normal() * .25, 0),
                    random_material(rng, (.15, .6), .5, .6), True)
    return builder.scene()


class _Builder:
    """Collects rectangles with their materials."""

    def __init__(self) -> None:
        self.parts: list[Rectangles] = []
        self.materials: list[Material] = []
        self.casts: list[np.ndarray] = []

    def add(self, rectangles: Rectangles, material: Material,
            casts_shadow: bool) -> None:
        number = len(rectangles.corner)
        self.parts.append(rectangles._replace(
            material=np.full(number, len(self.materials))))
        self.materials.append(material)
        self.casts.append(np.full(number, casts_shadow))

    def scene(self) -> Scene:
        if not self.parts:
            empty = np.zeros((0, 3))
            return Scene(Rectangles(empty, empty, empty, np.zeros(0, int),
                                    np.zeros(0, bool)),
                         [], np.zeros(0, bool))
        return Scene(join(self.parts), self.materials,
                     np.concatenate(self.casts))


def _rectangle(corner: list[float], a: list[float],
               b: list[float]) -> Rectangles:
    return Rectangles(np.array([corner], float), np.array([a], float),
                      np.array([b], float), np.zeros(1, int),
                      np.zeros(1, bool))


def _add_walls(rng: np.random.Generator, builder: _Builder, behind: float,
               vertices: np.ndarray, camera: Camera) -> None:
    """A back wall, most of the time a corner, things on the wall.

    Camera and person are inside the turned room: no wall between them.
    """
    turn = rotation_matrix(np.array([0, rng.normal() * .25, 0]))
    inside = vertices @ turn  # the person along the axes of the room
    gap = vertices[:, 2].min() - behind
    origin = turn @ np.array([0, 0, inside[:, 2].min() - gap])
    paint = random_material(rng, (.4, 3.), .3, .4)
    walls = [_rectangle([-25, 0, 0], [50, 0, 0], [0, 9, 0])]
    if rng.random() < .6:
        side = rng.choice([-1, 1])
        reach = rng.uniform(.5, 2.5)
        farthest = max((side * inside[:, 0]).max(),
                       side * (camera.position @ turn)[0])
        walls.append(_rectangle([side * (farthest + reach), 0, -1],
                                [0, 0, 30], [0, 9, 0]))
    for wall in walls:
        builder.add(wall.moved(turn, origin), paint, False)
    if rng.random() < .5:  # skirting board
        height = rng.uniform(.06, .16)
        builder.add(_rectangle([-25, 0, .012], [50, 0, 0], [0, height, 0])
                    .moved(turn, origin),
                    random_material(rng, (1., 2.), .2, .1), False)
    for _ in range(rng.integers(0, 4)):  # posters, doors, windows
        width, tall = rng.uniform(.3, 1.4), rng.uniform(.3, 2.)
        x = rng.uniform(-2.6, 2.6 - width)
        y = 0 if tall > 1.6 else rng.uniform(.5, 1.6)
        frame = rng.uniform(.02, .06)
        flat = random_material(rng, (.3, 2.), .6, .3)
        builder.add(_rectangle([x - frame, y - frame, .010],
                               [width + 2 * frame, 0, 0],
                               [0, tall + 2 * frame, 0]).moved(turn, origin),
                    flat, False)
        builder.add(_rectangle([x, y, .016], [width, 0, 0], [0, tall, 0])
                    .moved(turn, origin),
                    random_material(rng, (.25, 1.5), .8, .8), False)


def _add_furniture(rng: np.random.Generator, builder: _Builder,
                   behind: float, low: np.ndarray, high: np.ndarray) -> None:
    """Boxes, tables and shelves beside and behind the person."""
    for _ in range(rng.integers(0, 5)):
        half = rng.uniform(.12, .45, 3)
        tall = rng.random() < .25
        if tall:
            half[1] = rng.uniform(.5, 1.1)
        reach = np.hypot(half[0], half[2])
        if rng.random() < .6 and low[2] - behind > 2 * reach + .1:
            x = rng.uniform(low[0] - 1.2, high[0] + 1.2)
            z = rng.uniform(behind + reach, low[2] - reach - .05)
        else:
            side = rng.choice([-1, 1])
            gap = reach + rng.uniform(.05, 1.)
            x = high[0] + gap if side > 0 else low[0] - gap
            z = rng.uniform(max(behind + reach, -2), .4)
        yaw = rng.uniform(0, np.pi)
        material = random_material(rng, (.15, 1.2), .55, .6)
        if tall or rng.random() < .6:
            builder.add(box(np.array([x, half[1], z]), half, yaw, 0),
                        material, True)
            continue
        # A table: a top on four legs.
        height = rng.uniform(.42, .8)
        builder.add(box(np.array([x, height, z]),
                        np.array([half[0], .02, half[2]]), yaw, 0),
                    material, True)
        cos, sin = np.cos(yaw), np.sin(yaw)
        for i, k in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            dx, dz = i * (half[0] - .03), k * (half[2] - .03)
            leg = np.array([x + cos * dx + sin * dz, height / 2,
                            z - sin * dx + cos * dz])
            builder.add(box(leg, np.array([.02, height / 2, .02]), yaw, 0),
                        material, True)


def _add_seat(rng: np.random.Generator, builder: _Builder,
              height: float) -> None:
    """A block to sit on, under the pelvis."""
    half = np.array([rng.uniform(.16, .3), height / 2, rng.uniform(.16, .26)])
    builder.add(box(np.array([0, height / 2, 0]), half,
                    rng.uniform(0, np.pi), 0),
                random_material(rng, (.15, 1.), .6, .6), True)

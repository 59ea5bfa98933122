"""Rooms, furniture and occluders around a person, of rectangles.

World frame: +y up, metres, the floor at y = 0, the person around x = z = 0.
V: vertices.
"""

import numpy as np

from mmd2a.people.angles import rotation_matrix
from mmd2a.people.materials import Material, random_material
from mmd2a.people.rectangles import Rectangles, box, join
from mmd2a.people.scene import Camera, Scene

__all__ = ['sample_occluder', 'sample_room']


def sample_room(
    rng: np.random.Generator,
    vertices: np.ndarray,
    camera: Camera,
    seat_height: float | None,
) -> Scene:
    """Build a room or an open place around a person.

    Args:
        rng: source of randomness.
        vertices: (V, 3) the person in the world.
        camera: where the person is seen from, inside the room.
        seat_height: height of a seat to put below the person, if any.
    """
    low, high = vertices.min(0), vertices.max(0)
    builder = _Builder()
    builder.add(
        _rectangle([-30, 0, -60], [0, 0, 90.0], [60.0, 0, 0]),
        random_material(rng, (0.5, 4.0), 0.32, 0.55),
        False,
    )
    behind = low[2] - rng.uniform(0.3, 3.2)
    outdoors = rng.random() < 0.18
    if outdoors:
        behind = low[2] - rng.uniform(2, 8)
        for _ in range(rng.integers(1, 4)):  # houses, hedges
            half = np.array(
                [rng.uniform(1, 4), rng.uniform(0.6, 4), rng.uniform(0.3, 2)]
            )
            centre = [
                rng.uniform(-8, 8),
                half[1],
                behind - half[2] - rng.uniform(0, 12),
            ]
            builder.add(
                box(np.array(centre), half, rng.uniform(-0.4, 0.4), 0),
                random_material(rng, (0.8, 3.0), 0.4, 0.7),
                True,
            )
    else:
        _add_walls(rng, builder, behind, vertices, camera)
    _add_furniture(rng, builder, behind, low, high)
    if seat_height is not None:
        _add_seat(rng, builder, seat_height)
    return builder.scene()


def sample_occluder(
    rng: np.random.Generator, camera: Camera, vertices: np.ndarray, heavy: bool
) -> Scene:
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
    if nearest < 0.5:
        return builder.scene()
    ray = seen[:, :2] / seen[:, 2:]
    low, high = ray.min(0), ray.max(0)
    extent = high - low
    for _ in range(1 + int(heavy and rng.random() < 0.4)):
        depth = rng.uniform(0.45, 0.85) * nearest
        thickness = 0.25 * (nearest - depth)
        share = rng.uniform(0.35, 0.6) if heavy else rng.uniform(0.15, 0.42)
        kind = rng.integers(3)
        if kind == 0:  # an upright thing: a post, a door
            size = [share * extent[0] * rng.uniform(0.4, 0.9), extent[1]]
        elif kind == 1:  # a low thing: a table, a wall, a car
            size = [extent[0] * rng.uniform(0.3, 1.0), share * extent[1] * 0.7]
        else:  # a thing held or hung
            size = [share * extent[0] * 0.8, share * extent[1] * 0.6]
        point = low + extent * rng.uniform(0.1, 0.9, 2)
        if kind == 1:
            point[1] = high[1] - rng.uniform(0, 0.2) * extent[1]
        centre = np.array([*point, 1.0]) * depth
        half = np.maximum([size[0] * depth, size[1] * depth, thickness], 0.02)
        half[:2] = np.minimum(half[:2], 1.2)
        centre = camera.rotation.T @ centre + camera.position
        builder.add(
            box(centre, half, rng.normal() * 0.25, 0),
            random_material(rng, (0.15, 0.6), 0.5, 0.6),
            True,
        )
    return builder.scene()


class _Builder:
    """Collects rectangles with their materials."""

    def __init__(self) -> None:
        self.parts: list[Rectangles] = []
        self.materials: list[Material] = []
        self.casts: list[np.ndarray] = []

    def add(
        self, rectangles: Rectangles, material: Material, casts_shadow: bool
    ) -> None:
        number = len(rectangles.corner)
        self.parts.append(
            rectangles._replace(material=np.full(number, len(self.materials)))
        )
        self.materials.append(material)
        self.casts.append(np.full(number, casts_shadow))

    def scene(self) -> Scene:
        if not self.parts:
            empty = np.zeros((0, 3))
            return Scene(
                Rectangles(
                    empty, empty, empty, np.zeros(0, int), np.zeros(0, bool)
                ),
                [],
                np.zeros(0, bool),
            )
        return Scene(
            join(self.parts), self.materials, np.concatenate(self.casts)
        )


def _rectangle(
    corner: list[float], a: list[float], b: list[float]
) -> Rectangles:
    return Rectangles(
        np.array([corner], float),
        np.array([a], float),
        np.array([b], float),
        np.zeros(1, int),
        np.zeros(1, bool),
    )


def _add_walls(
    rng: np.random.Generator,
    builder: _Builder,
    behind: float,
    vertices: np.ndarray,
    camera: Camera,
) -> None:
    """A back wall, most of the time a corner, things on the wall.

    Camera and person are inside the turned room: no wall between them.
    """
    turn = rotation_matrix(np.array([0, rng.normal() * 0.25, 0]))
    inside = vertices @ turn  # the person along the axes of the room
    gap = vertices[:, 2].min() - behind
    origin = turn @ np.array([0, 0, inside[:, 2].min() - gap])
    paint = random_material(rng, (0.4, 3.0), 0.3, 0.4)
    walls = [_rectangle([-25, 0, 0], [50, 0, 0], [0, 9, 0])]
    if rng.random() < 0.6:
        side = rng.choice([-1, 1])
        reach = rng.uniform(0.5, 2.5)
        farthest = max(
            (side * inside[:, 0]).max(), side * (camera.position @ turn)[0]
        )
        walls.append(
            _rectangle(
                [side * (farthest + reach), 0, -1], [0, 0, 30], [0, 9, 0]
            )
        )
    for wall in walls:
        builder.add(wall.moved(turn, origin), paint, False)
    if rng.random() < 0.5:  # skirting board
        height = rng.uniform(0.06, 0.16)
        builder.add(
            _rectangle([-25, 0, 0.012], [50, 0, 0], [0, height, 0]).moved(
                turn, origin
            ),
            random_material(rng, (1.0, 2.0), 0.2, 0.1),
            False,
        )
    for _ in range(rng.integers(0, 4)):  # posters, doors, windows
        width, tall = rng.uniform(0.3, 1.4), rng.uniform(0.3, 2.0)
        x = rng.uniform(-2.6, 2.6 - width)
        y = 0 if tall > 1.6 else rng.uniform(0.5, 1.6)
        frame = rng.uniform(0.02, 0.06)
        flat = random_material(rng, (0.3, 2.0), 0.6, 0.3)
        builder.add(
            _rectangle(
                [x - frame, y - frame, 0.010],
                [width + 2 * frame, 0, 0],
                [0, tall + 2 * frame, 0],
            ).moved(turn, origin),
            flat,
            False,
        )
        builder.add(
            _rectangle([x, y, 0.016], [width, 0, 0], [0, tall, 0]).moved(
                turn, origin
            ),
            random_material(rng, (0.25, 1.5), 0.8, 0.8),
            False,
        )


def _add_furniture(
    rng: np.random.Generator,
    builder: _Builder,
    behind: float,
    low: np.ndarray,
    high: np.ndarray,
) -> None:
    """Boxes, tables and shelves beside and behind the person."""
    for _ in range(rng.integers(0, 5)):
        half = rng.uniform(0.12, 0.45, 3)
        tall = rng.random() < 0.25
        if tall:
            half[1] = rng.uniform(0.5, 1.1)
        reach = np.hypot(half[0], half[2])
        if rng.random() < 0.6 and low[2] - behind > 2 * reach + 0.1:
            x = rng.uniform(low[0] - 1.2, high[0] + 1.2)
            z = rng.uniform(behind + reach, low[2] - reach - 0.05)
        else:
            side = rng.choice([-1, 1])
            gap = reach + rng.uniform(0.05, 1.0)
            x = high[0] + gap if side > 0 else low[0] - gap
            z = rng.uniform(max(behind + reach, -2), 0.4)
        yaw = rng.uniform(0, np.pi)
        material = random_material(rng, (0.15, 1.2), 0.55, 0.6)
        if tall or rng.random() < 0.6:
            builder.add(
                box(np.array([x, half[1], z]), half, yaw, 0), material, True
            )
            continue
        # A table: a top on four legs.
        height = rng.uniform(0.42, 0.8)
        builder.add(
            box(
                np.array([x, height, z]),
                np.array([half[0], 0.02, half[2]]),
                yaw,
                0,
            ),
            material,
            True,
        )
        cos, sin = np.cos(yaw), np.sin(yaw)
        for i, k in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            dx, dz = i * (half[0] - 0.03), k * (half[2] - 0.03)
            leg = np.array(
                [x + cos * dx + sin * dz, height / 2, z - sin * dx + cos * dz]
            )
            builder.add(
                box(leg, np.array([0.02, height / 2, 0.02]), yaw, 0),
                material,
                True,
            )


def _add_seat(
    rng: np.random.Generator, builder: _Builder, height: float
) -> None:
    """A block to sit on, under the pelvis."""
    half = np.array(
        [rng.uniform(0.16, 0.3), height / 2, rng.uniform(0.16, 0.26)]
    )
    builder.add(
        box(np.array([0, height / 2, 0]), half, rng.uniform(0, np.pi), 0),
        random_material(rng, (0.15, 1.0), 0.6, 0.6),
        True,
    )

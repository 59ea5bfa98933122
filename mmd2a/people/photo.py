"""What photos have and the plain looks of synthetic people lack.

Found by laying both side by side. Photos are brighter where they are bright
and darker where they are dark, smooth between sharp edges rather than grained
all over; walls are mostly plain and pale, light comes from several lamps;
behind people lies clutter of all sizes; people wear black, white and denim
more than patterns, or no shirt, or a cap; cameras are held high, low and
askew, and people stand beside their axis. Each function here takes what was
drawn for a plain person and draws that anew: pose and body stay.

All numbers are our choice. World frame, metres, linear RGB.
"""

import numpy as np

from mmd2a.people.angles import rotation_matrix
from mmd2a.people.lens import Lens
from mmd2a.people.looks import HAIR, SHIRT, SHOES, SKIN, TROUSERS, Look
from mmd2a.people.materials import Material, plain_material, random_colour
from mmd2a.people.rectangles import Rectangles, box, join
from mmd2a.people.scene import Light, Scene, View
from mmd2a.people.textures import LEAVES

__all__ = [
    'PHOTO_VIEW',
    'photo_lens',
    'photo_light',
    'photo_look',
    'photo_room',
    'plainer',
]

#: Cameras held by people, and such that look at more than this person.
PHOTO_VIEW = View(
    elevation=(0.2, 0.26), steepest=1.0, roll=0.16, off_axis=0.25
)

_CLOTH = np.array(
    [
        [0.015, 0.015, 0.018],  # black, twice as often as others
        [0.03, 0.03, 0.032],
        [0.10, 0.10, 0.11],
        [0.30, 0.30, 0.31],
        [0.75, 0.74, 0.72],
        [0.85, 0.85, 0.86],
        [0.02, 0.03, 0.09],  # navy
        [0.08, 0.13, 0.26],  # denim
        [0.20, 0.27, 0.40],
        [0.45, 0.36, 0.24],  # beige
        [0.16, 0.13, 0.07],  # khaki
        [0.42, 0.03, 0.03],
        [0.05, 0.12, 0.06],
        [0.05, 0.14, 0.38],
    ]
)
_WALLS = np.array(
    [
        [0.80, 0.78, 0.73],
        [0.72, 0.66, 0.55],
        [0.55, 0.56, 0.58],
        [0.9, 0.9, 0.9],
    ]
)
_FLOORS = np.array(
    [
        [0.30, 0.31, 0.30],
        [0.05, 0.05, 0.055],
        [0.32, 0.20, 0.11],
        [0.55, 0.50, 0.42],
        [0.05, 0.10, 0.26],
        [0.12, 0.15, 0.07],
    ]
)
_LONG = 20.0  # metres: only walls and floors are as long


def photo_look(rng: np.random.Generator, look: Look) -> Look:
    """Dress a person as most people are.

    Args:
        rng: source of randomness.
        look: a plain look; body, hair cut and the lengths of clothes stay
            for most.
    """
    materials, thickness = list(look.materials), look.thickness.copy()
    for layer in (SHIRT, TROUSERS, SHOES):
        if rng.random() < 0.65:
            colour = _CLOTH[rng.integers(len(_CLOTH))] * rng.uniform(0.75, 1.2)
            materials[layer] = plain_material(
                rng, colour, rng.uniform(0.2, 0.6), 0.15, 0.04
            )
    # Cloth, skin and hair have no grain that is seen from metres away.
    materials = [
        m._replace(grain=m.grain * rng.uniform(0, 0.6)) for m in materials
    ]
    if rng.random() < 0.15:  # no shirt
        materials[SHIRT], thickness[SHIRT] = materials[SKIN], 0.0
    if rng.random() < 0.2:  # sports wear: short, thin, tight
        thickness[TROUSERS] = 0.002
        look = look._replace(leg=float(rng.uniform(0.2, 0.5)))
    if rng.random() < 0.15:  # cap, hood, helmet
        colour = _CLOTH[rng.integers(len(_CLOTH))]
        if rng.random() < 0.5:
            colour = random_colour(rng, 1.0)
        materials[HAIR] = plain_material(rng, colour, 0.3, 0.05, 0.02)
        thickness[HAIR] = rng.uniform(0.004, 0.03)
        look = look._replace(hair=str(rng.choice(['short', 'short', 'bob'])))
    return look._replace(materials=tuple(materials), thickness=thickness)


def photo_room(
    rng: np.random.Generator, room: Scene, vertices: np.ndarray
) -> Scene:
    """Paint a room paler, plainer and put clutter and windows into it.

    V: vertices.

    Args:
        rng: source of randomness.
        room: floor first, see :func:`~mmd2a.people.room.sample_room`.
        vertices: (V, 3) the person in the world.
    """
    room = plainer(rng, room)
    materials = list(room.materials)
    rectangles = room.rectangles
    long = (
        np.linalg.norm(np.stack([rectangles.a, rectangles.b]), axis=2) > _LONG
    ).any(0)
    for i in np.unique(rectangles.material[long]):
        colours, cluttered = (_FLOORS, 0.05) if i == 0 else (_WALLS, 0.22)
        materials[i] = _surface(rng, colours, materials[i], cluttered)
    parts, casts = [rectangles], [room.casts_shadow]

    def add(new: Rectangles, material: Material, shadow: bool) -> None:
        number = len(new.corner)
        parts.append(new._replace(material=np.full(number, len(materials))))
        casts.append(np.full(number, shadow))
        materials.append(material)

    low, high = vertices.min(0), vertices.max(0)
    for height in np.arange(1, 1 + rng.integers(0, 3)) * 0.004:
        # Mats and carpets, one over the other.
        turn = rotation_matrix(np.array([0, rng.uniform(0, np.pi), 0]))
        width, length = rng.uniform(0.8, 3.5, 2)
        centre = np.array([rng.normal(), height, rng.normal()])
        corner = centre - turn @ [width / 2, 0, length / 2]
        mat = Rectangles(
            corner[None],
            (turn @ [0, 0, length])[None],
            (turn @ [width, 0, 0])[None],
            np.zeros(1, int),
            np.zeros(1, bool),
        )
        add(mat, _surface(rng, _FLOORS, materials[0], 0.05), False)
    for _ in range(rng.integers(2, 18)):
        add(*_piece_of_clutter(rng, low, high), False)
    return Scene(join(parts), materials, np.concatenate(casts))


def photo_light(rng: np.random.Generator, light: Light) -> Light:
    """Light a place by several lamps: less shadow, softer, from above."""
    if rng.random() < 0.3:  # the sun, one lamp
        return light
    direction = light.direction + [0, rng.uniform(0.5, 3), 0]
    share = rng.uniform(0.1, 0.6)
    return Light(
        direction / np.linalg.norm(direction),
        light.key * share,
        light.sky + light.key * (1 - share) * rng.uniform(0.5, 0.8),
        light.ground + light.key * (1 - share) * rng.uniform(0.15, 0.4),
        light.softness * rng.uniform(1, 4),
    )


def photo_lens(rng: np.random.Generator, lens: Lens) -> Lens:
    """Expose for the scene, with the contrast and colour of a camera's file.

    Blur, noise and compression beyond the least are left to
    :class:`~mmd2a.datasets.transforms.DegradeImage`, which draws them anew
    each time that a training sees the picture.
    """
    return lens._replace(
        exposure=1.0,
        white=float(np.exp(rng.uniform(*np.log([0.35, 1.0])))),
        contrast=float(rng.uniform(0.95, 1.35)),
        saturation=float(rng.uniform(0.7, 1.2)),
        sharpening=float(max(rng.uniform(-0.5, 1.0), 0)),
        blur=lens.blur * rng.uniform(0.3, 0.8),
        noise=lens.noise * rng.uniform(0, 0.4),
    )


def plainer(rng: np.random.Generator, scene: Scene) -> Scene:
    """Take grain from the materials of a scene, and often the pattern."""
    return scene._replace(
        materials=[_plainer_material(rng, m) for m in scene.materials]
    )


def _plainer_material(
    rng: np.random.Generator, material: Material
) -> Material:
    """Keep the ground colour, draw anew how much of the rest stays."""
    ground = material.colours[:1]
    pattern, contrast = material.pattern, rng.choice([0.05, 0.1, 0.4, 0.8])
    if rng.random() < 0.2:
        pattern, contrast = int(rng.choice(LEAVES)), 0.7
    return material._replace(
        pattern=pattern,
        colours=ground + contrast * (material.colours - ground),
        shade=material.shade * rng.uniform(0.3, 1),
        grain=material.grain * rng.uniform(0, 0.4),
    )


def _surface(
    rng: np.random.Generator,
    colours: np.ndarray,
    old: Material,
    cluttered: float,
) -> Material:
    """Draw a wall or a floor: plain, cluttered (share), or as it was."""
    draw = rng.random()
    colour = colours[rng.integers(len(colours))] * rng.uniform(0.7, 1.1)
    if draw > 0.4:
        return plain_material(
            rng, colour * rng.normal(1, 0.04, 3), rng.uniform(1, 4), 0.06, 0.01
        )
    if draw < cluttered:  # shelves, leaves, a crowd: shapes of all sizes
        others = np.stack([random_colour(rng, 0.6) for _ in range(2)])
        mixed = colour + rng.uniform(0.2, 0.9) * (others - colour)
        return Material(
            int(rng.choice(LEAVES)),
            np.concatenate([colour[None], mixed]),
            rng.uniform(0.8, 2.5),
            float(rng.choice([0, np.pi / 2])),
            rng.uniform(0.5, 1.0),
            0.02,
        )
    return old


def _piece_of_clutter(
    rng: np.random.Generator, low: np.ndarray, high: np.ndarray
) -> tuple[Rectangles, Material]:
    """A small thing, a cable, a window, a lamp, behind or beside a person."""
    kind = rng.random()
    half = 0.02 * 12.5 ** rng.random(3)  # 2 to 25 cm
    colour = random_colour(rng, 0.8)
    if kind < 0.2:  # cables, poles, shelves: long and thin
        half = np.array([0.012, 0.012, 0.012])
        half[rng.integers(3)] = rng.uniform(0.3, 1.2)
    elif kind < 0.4:  # windows and lamps, brighter than all that they light
        half = np.array([rng.uniform(0.1, 0.7), rng.uniform(0.1, 0.7), 0.02])
        colour = np.array([1, 1, 1.05]) * rng.uniform(1.5, 5)
    reach = float(np.hypot(half[0], half[2]))
    if rng.random() < 0.5:  # behind
        x = rng.uniform(low[0] - 1.5, high[0] + 1.5)
        z = low[2] - reach - 0.05 - rng.exponential(0.8)
    else:  # beside
        gap = reach + 0.05 + rng.exponential(0.5)
        x = high[0] + gap if rng.random() < 0.5 else low[0] - gap
        z = rng.uniform(low[2] - 1.5, 0.2)
    on_floor = rng.random() < 0.5 and kind >= 0.4
    tall = float(half[1])
    y = tall if on_floor else rng.uniform(tall, max(2.2, tall))
    shape = box(np.array([x, y, z]), half, rng.uniform(0, np.pi), 0)
    return shape, plain_material(rng, colour, 0.4, 0.2, 0.02)

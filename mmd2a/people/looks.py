"""What people look like: body shape, skin, face, hair and clothes.

Clothes are layers of the body's own surface. Where a layer begins and ends is
a rule on coordinates of the rest pose (how far down the arm, the leg, the
trunk), evaluated once on vertices, to push cloth and hair outwards, and once
per pixel, to paint hems as sharp as the image allows.

V: vertices, F: faces, N: points (vertices or pixels).
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mmd2a.body_models import load_embedded_body
from mmd2a.people.collisions import rest_joints
from mmd2a.people.materials import (
    Material,
    plain_material,
    random_colour,
    random_material,
)

__all__ = [
    'HAIR',
    'NUM_LAYERS',
    'SHIRT',
    'SHOES',
    'SKIN',
    'TROUSERS',
    'Look',
    'surface_coordinates',
    'surface_fields',
]

SKIN, SHIRT, TROUSERS, SHOES, HAIR = range(5)
NUM_LAYERS = 5

_SKIN_TONES = np.array(
    [
        [0.92, 0.74, 0.64],
        [0.87, 0.66, 0.54],
        [0.78, 0.56, 0.42],
        [0.64, 0.43, 0.30],
        [0.46, 0.30, 0.20],
        [0.33, 0.21, 0.15],
    ]
)
_HAIR_TONES = np.array(
    [
        [0.05, 0.04, 0.04],
        [0.10, 0.07, 0.05],
        [0.22, 0.14, 0.08],
        [0.40, 0.27, 0.14],
        [0.66, 0.50, 0.28],
        [0.55, 0.54, 0.52],
        [0.42, 0.16, 0.07],
    ]
)


@lru_cache(maxsize=1)
def surface_fields() -> np.ndarray:
    """Coordinates (V, 7) in which layers are cut.

    Rest position x, y, z in metres, and the shares in which arms, legs, head
    and feet move a vertex.
    """
    body = load_embedded_body()
    weights = body['weights']
    groups = (
        (16, 17, 18, 19, 20, 21, 22, 23),
        (1, 2, 4, 5, 7, 8, 10, 11),
        (15,),
        (7, 8, 10, 11),
    )
    shares = [weights[:, list(g)].sum(1) for g in groups]
    return np.concatenate([body['v_template'], np.stack(shares, 1)], 1).astype(
        np.float32
    )


@lru_cache(maxsize=1)
def surface_coordinates() -> np.ndarray:
    """Where cloth patterns lie on the body: (F, 3, 2) metres per corner.

    Each face takes the plane it faces most, so that stripes run around the
    trunk, the arms and the legs without stretching.
    """
    body = load_embedded_body()
    rest, faces = body['v_template'], body['f'].astype(np.int64)
    shares = surface_fields()
    corners = rest[faces]
    normal = np.cross(
        corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    )
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    on_arm = shares[faces, 3].mean(1) > 0.5
    # Along the limb (v) and across it (u).
    along = np.where(on_arm[:, None], corners[..., 0], corners[..., 1])
    frontal = np.where(on_arm[:, None], corners[..., 1], corners[..., 0])
    facing_z = np.abs(normal[:, 2]) > 0.6
    across = np.where(facing_z[:, None], frontal, corners[..., 2] + 0.37)
    return np.stack([across, along], -1).astype(np.float32)


@lru_cache(maxsize=1)
def _landmarks() -> dict[str, float]:
    rest, joints = load_embedded_body()['v_template'], rest_joints()
    shares = surface_fields()
    head = rest[shares[:, 5] > 0.5]
    return dict(
        shoulder=abs(joints[16, 0]),
        wrist=abs(joints[20, 0]),
        hip=joints[1, 1],
        ankle=joints[7, 1],
        pelvis=joints[0, 1],
        neck=joints[12, 1],
        head=joints[15, 1],
        head_z=joints[15, 2],
        sole=rest[:, 1].min(),
        top=head[:, 1].max(),
        front=head[:, 2].max(),
    )


class Look(NamedTuple):
    """A person's looks.

    Attributes:
        betas: (10,) shape.
        materials: one per layer, SKIN to HAIR.
        lips, brows, iris: linear RGB (3,).
        sleeve, leg: lengths as a share of the arm and of the leg.
        waist: where trousers end, metres over the pelvis.
        tucked: whether the shirt is worn inside the trousers.
        neckline: depth of the neckline, metres.
        shoe: share of the leg at which shoes end; over 1 is barefoot.
        hair: 'bald', 'short', 'bob' or 'long'.
        thickness: (5,) offset of every layer from the skin, metres.
        folds: (2, 3) directions of the folds of cloth, 1/m.
    """

    betas: np.ndarray
    materials: tuple[Material, ...]
    lips: np.ndarray
    brows: np.ndarray
    iris: np.ndarray
    sleeve: float
    leg: float
    waist: float
    tucked: bool
    neckline: float
    shoe: float
    hair: str
    thickness: np.ndarray
    folds: np.ndarray

    @classmethod
    def sample(cls, rng: np.random.Generator) -> 'Look':
        """Draw a person."""
        tone = rng.uniform(0, len(_SKIN_TONES) - 1)
        low = int(tone)
        skin = _SKIN_TONES[low] + (tone - low) * (
            _SKIN_TONES[min(low + 1, 5)] - _SKIN_TONES[low]
        )
        skin = np.clip(skin * rng.normal(1, 0.03, 3), 0.05, 1) ** 2.2
        hair = _HAIR_TONES[rng.integers(len(_HAIR_TONES))] ** 2.2
        hair = np.clip(hair * rng.uniform(0.7, 1.3), 0.004, 1)
        shirt = random_material(rng, (0.12, 0.7), 0.75, 0.6)
        trousers = random_material(rng, (0.1, 0.5), 0.45, 0.3)
        if rng.random() < 0.1:  # overalls, tracksuits
            trousers = shirt
        shoes = plain_material(rng, random_colour(rng, 0.5), gloss=0.1)
        materials = (
            plain_material(rng, skin, 0.4, 0.07, 0.03, 0.10),
            shirt,
            trousers,
            shoes,
            plain_material(rng, hair, 0.12, 0.5, 0.5, 0.12),
        )
        thickness = np.array(
            [
                0,
                rng.uniform(0.004, 0.020),
                rng.uniform(0.004, 0.018),
                0.007,
                rng.uniform(0.008, 0.026),
            ]
        )
        return cls(
            betas=np.clip(rng.normal(size=10), -2.5, 2.5),
            materials=materials,
            lips=skin * [0.85, 0.55, 0.55],
            brows=hair * 0.8 + skin * 0.05,
            iris=np.array(
                [[0.05, 0.03, 0.02], [0.06, 0.1, 0.18], [0.07, 0.1, 0.05]]
            )[rng.choice(3, p=[0.6, 0.25, 0.15])],
            sleeve=rng.choice([-0.02, 0.18, 0.32, 0.55, 0.97, 0.97])
            + rng.normal() * 0.02,
            leg=rng.choice([0.12, 0.3, 0.45, 0.6, 0.96, 0.96, 0.96])
            + rng.normal() * 0.02,
            waist=rng.uniform(0, 0.10),
            tucked=bool(rng.random() < 0.4),
            neckline=rng.uniform(0, 0.07),
            shoe=float(
                rng.choice([0.97, 0.93, 0.75, 1.1], p=[0.55, 0.2, 0.1, 0.15])
            ),
            hair=str(
                rng.choice(
                    ['bald', 'short', 'bob', 'long'], p=[0.07, 0.48, 0.2, 0.25]
                )
            ),
            thickness=thickness,
            folds=rng.normal(size=(2, 3)) * 22,
        )

    def layers(self, fields: np.ndarray) -> np.ndarray:
        """Layer (N,) of points with :func:`surface_fields` (N, 7)."""
        mark = _landmarks()
        x, y, z, arm, leg, head, foot = fields.T
        arm, leg, head = arm > 0.5, leg > 0.5, head > 0.5
        side = np.abs(x)
        sleeve = (side - mark['shoulder']) / (mark['wrist'] - mark['shoulder'])
        down = (mark['hip'] - y) / (mark['hip'] - mark['ankle'])
        trunk = ~arm & ~leg & ~head
        height = y - mark['pelvis']
        # The neckline is low in front, a little lower on the throat.
        low = np.where(z > 0.02, self.neckline, 0.25 * self.neckline)
        neck = mark['neck'] - 0.015 - low * np.clip(1 - side / 0.11, 0, 1)

        layer = np.zeros(len(x), np.int32)
        legs = (leg & (down < self.leg)) | (trunk & (height < self.waist))
        layer[legs] = TROUSERS
        hem = self.waist if self.tucked else -0.10
        body = ~arm & ~head & (height > hem) & (y < neck)
        # Without a trouser leg below it, a hem on the thigh hangs in the air.
        body &= ~leg | (down < 0.1)
        layer[body | (arm & (sleeve < self.sleeve))] = SHIRT
        shoes = leg & ((down > self.shoe) | (foot > 0.6)) & (self.shoe < 1.05)
        layer[shoes & ((down > self.shoe) | (down > 0.9))] = SHOES
        layer[self._hair(x, y, z, head)] = HAIR
        return layer

    def offsets(self, fields: np.ndarray, layer: np.ndarray) -> np.ndarray:
        """How far cloth and hair stand off the skin (N,), metres."""
        mark = _landmarks()
        offset = self.thickness.astype(np.float32)[layer]
        cloth = (layer == SHIRT) | (layer == TROUSERS)
        fold = np.sin(
            fields[:, :3] @ self.folds[0].astype(np.float32)
        ) * np.sin(fields[:, :3] @ self.folds[1].astype(np.float32))
        offset += np.where(cloth, 0.45 * fold * offset, 0)
        # Trouser legs widen downwards, shirts over the belly.
        down = np.clip((mark['hip'] - fields[:, 1]) / 1.0, 0, 1)
        offset *= np.where(layer == TROUSERS, 1 + 0.7 * down, 1)
        if self.hair in ('bob', 'long'):
            back = np.clip((0.05 - fields[:, 2] + mark['head_z']) / 0.1, 0, 1)
            offset += np.where(layer == HAIR, 0.014 * back, 0)
        return offset

    def paint_face(
        self, fields: np.ndarray, layer: np.ndarray, albedo: np.ndarray
    ) -> None:
        """Paint eyes, brows and lips onto skin (N, 3), in place."""
        mark = _landmarks()
        near = np.flatnonzero(
            (layer == SKIN)
            & (fields[:, 5] > 0.5)
            & (fields[:, 2] > 0.55 * mark['front'])
        )
        if not len(near):
            return
        x = np.abs(fields[near, 0])
        y = fields[near, 1] - mark['head']
        x_eye, y_eye = x - 0.032, y - 0.047

        def disc(
            dx: np.ndarray, dy: np.ndarray, a: float, b: float
        ) -> np.ndarray:
            return near[(dx / a) ** 2 + (dy / b) ** 2 < 1]

        # Blood under the skin of cheeks, shade in the sockets.
        albedo[disc(x - 0.045, y + 0.005, 0.024, 0.02)] *= [1.03, 0.92, 0.92]
        albedo[disc(x_eye, y_eye, 0.017, 0.011)] *= 0.82
        albedo[disc(x_eye, y_eye, 0.0125, 0.0058)] = [0.78, 0.76, 0.74]
        albedo[disc(x_eye, y_eye, 0.0056, 0.0056)] = self.iris
        albedo[disc(x_eye - 0.002, y_eye - 0.019, 0.018, 0.0042)] = self.brows
        albedo[disc(x, y + 0.040, 0.024, 0.0085)] = self.lips

    def _hair(
        self, x: np.ndarray, y: np.ndarray, z: np.ndarray, head: np.ndarray
    ) -> np.ndarray:
        mark = _landmarks()
        if self.hair == 'bald':
            return np.zeros(len(x), bool)
        up = (y - mark['head']) / (mark['top'] - mark['head'])
        ahead = (z - mark['head_z']) / (mark['front'] - mark['head_z'])
        hair = head & (up > 0.60 + 0.35 * np.clip(ahead, 0, 1) ** 2)
        hair |= head & (ahead < 0.18) & (up > 0.22)
        hair |= head & (ahead < -0.05) & (up > -0.02)
        if self.hair != 'short':
            # Over the ears and down the nape.
            hair |= head & (ahead < 0.32) & (up > 0.05)
            drop = 0.02 if self.hair == 'bob' else 0.16
            hair |= (
                (ahead < -0.12)
                & (np.abs(x) < 0.10)
                & (y > mark['neck'] - drop)
                & (y < mark['top'])
            )
        return hair

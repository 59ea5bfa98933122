"""A person placed in the world.

V: vertices, F: faces. Metres, y up.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch

from mmd2a.body_models import SMPLBodyModel
from mmd2a.geometry.rasterization import vertex_normals
from mmd2a.people.angles import rotation_matrix
from mmd2a.people.looks import Look, surface_fields
from mmd2a.people.poses import Pose

__all__ = ['World', 'body_faces', 'body_model', 'part_labels']


class World(NamedTuple):
    """A person placed in the world: y up, on the floor, pelvis at x = z = 0.

    Attributes:
        rotations: (24, 3, 3) with the heading in the root's.
        vertices, clothed: (V, 3) skin, and skin with clothes and hair.
        joints: (24, 3) of the kinematic tree.
        rest_pelvis: (3,) pelvis of this shape in the rest pose.
        seat_height: metres, or None.
    """

    rotations: np.ndarray
    vertices: np.ndarray
    clothed: np.ndarray
    joints: np.ndarray
    rest_pelvis: np.ndarray
    seat_height: float | None

    @classmethod
    def build(
        cls, rng: np.random.Generator, pose: Pose, look: Look
    ) -> 'World':
        """Put a person into the world, facing anywhere.

        Args:
            rng: source of the heading.
            pose: what the person does.
            look: body and clothes.
        """
        heading = rotation_matrix(np.array([0, rng.uniform(-np.pi, np.pi), 0]))
        rotations = pose.rotations.copy()
        rotations[0] = heading @ rotations[0]
        model, turn = body_model(), torch.from_numpy(rotations).float()[None]
        with torch.no_grad():
            output = model(
                turn[:, :1],
                turn[:, 1:],
                torch.from_numpy(look.betas).float()[None],
                pose_format='matrix',
            )
        vertices = output.vertices[0].numpy().astype(np.float64)
        rest_pelvis = output.joints[0, 0].numpy().astype(np.float64)
        fields = surface_fields()
        layer = look.layers(fields)
        clothed = vertices + (
            vertex_normals(vertices, body_faces())
            * look.offsets(fields, layer)[:, None]
        )
        shift = -rest_pelvis
        shift[1] = pose.lift - clothed[:, 1].min()
        seat = None
        if pose.seat:
            near = np.isin(part_labels(), (0, 1, 2)) & (
                np.hypot(*(vertices - rest_pelvis)[:, ::2].T) < 0.2
            )
            seat = float((clothed[near, 1] + shift[1]).min()) + 0.01
            seat = seat if seat > 0.12 else None
        joints = output.joints[0].numpy() + shift
        return cls(
            rotations,
            vertices + shift,
            clothed + shift,
            joints,
            rest_pelvis,
            seat,
        )


@lru_cache(maxsize=1)
def body_model() -> SMPLBodyModel:
    """The embedded body."""
    return SMPLBodyModel()


@lru_cache(maxsize=1)
def body_faces() -> np.ndarray:
    """Vertex indices (F, 3) of the embedded body."""
    return body_model().faces.numpy()


@lru_cache(maxsize=1)
def part_labels() -> np.ndarray:
    """The joint (V,) that moves a vertex most."""
    return body_model().part_labels.numpy()

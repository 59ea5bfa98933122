"""What a picture of a person is taken of: camera, lights, things around.

World frame: +y up, metres, the floor at y = 0, the person around x = z = 0.
Camera frame: OpenCV. V: vertices, N: points.
"""

from typing import NamedTuple

import numpy as np

from mmd2a.people.angles import rotation_matrix
from mmd2a.people.materials import Material
from mmd2a.people.rectangles import Rectangles

__all__ = ['Camera', 'Light', 'Scene', 'View', 'sample_camera', 'sample_light']

_LOWEST_CAMERA = 0.15
_WORLD_TO_OPENCV = np.diag([1.0, -1.0, -1.0])


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


class View(NamedTuple):
    """How cameras are held.

    Attributes:
        elevation: mean and standard deviation of the angle from which a
            camera looks down, radians.
        steepest: largest elevation; as far up, a third of it.
        roll: standard deviation of the turn about the optical axis, radians.
        off_axis: standard deviation of the principal point's distance from
            the middle of the image, along x and y, in sizes of the image: a
            person at the border of a larger picture.
    """

    elevation: tuple[float, float] = (0.12, 0.17)
    steepest: float = 0.75
    roll: float = 0.04
    off_axis: float = 0.0


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


def sample_camera(
    rng: np.random.Generator,
    vertices: np.ndarray,
    image_size: int,
    view: View = View(),
) -> Camera:
    """Place a camera that frames a person.

    The person covers 55 to 95 % of the image, in one of eight images it is
    closer and cut off by the border.

    Args:
        rng: source of randomness.
        vertices: (V, 3) the person in the world.
        image_size: width and height, pixels.
        view: how the camera is held.
    """
    focal = np.exp(rng.uniform(*np.log([0.95, 2.2]))) * image_size
    centre_pixel = (image_size - 1) / 2
    K = np.array(
        [[focal, 0, centre_pixel], [0, focal, centre_pixel], [0, 0, 1]]
    )
    cut_off = rng.random() < 0.125
    cover = rng.uniform(1.0, 1.6) if cut_off else rng.uniform(0.58, 0.95)
    elevation = np.clip(
        rng.normal(*view.elevation), -view.steepest / 3, view.steepest
    )
    roll = rng.normal() * view.roll
    place = rng.uniform(-1, 1, 2)
    if view.off_axis:
        offset = np.clip(rng.normal(size=2), -2, 2) * view.off_axis
        K[:2, 2] += offset * image_size

    points = vertices[::7]
    low, high = points.min(0), points.max(0)
    centre = (low + high) / 2
    distance = (
        focal
        * max(np.linalg.norm(high - low) * 0.8, 0.6)
        / (cover * image_size)
    )
    # Everybody in front of the camera from the start, or the steps diverge.
    nearest = np.linalg.norm(points - centre, axis=1).max() + 0.35
    distance = max(distance, nearest)
    # Not below the floor.
    lowest = np.arcsin(np.clip((_LOWEST_CAMERA - centre[1]) / distance, -1, 1))
    elevation = max(elevation, lowest)
    rotation = (
        rotation_matrix(np.array([0, 0, roll]))
        @ _WORLD_TO_OPENCV
        @ rotation_matrix(np.array([elevation, 0, 0]))
    )
    target = centre
    for _ in range(3):  # the extent in pixels depends on the distance itself
        camera = Camera(K, rotation, target - distance * rotation[2])
        pixel = camera.project(points)
        size = np.ptp(pixel, axis=0).max()
        distance *= np.clip(size / (cover * image_size), 0.6, 1.6)
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
        slack = np.maximum(extent - 0.8 * image_size, 0) / 2 + slack
    shift = -place * slack * 0.8 * distance / focal
    position = camera.position + rotation[:2].T @ shift
    position[1] = max(position[1], _LOWEST_CAMERA)
    return Camera(K, rotation, position)


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a lamp or the sun, and the light of the sky or the walls."""
    azimuth = rng.uniform(-np.pi, np.pi)
    # More often from the camera's side than from behind the person.
    if np.cos(azimuth) < 0 and rng.random() < 0.5:
        azimuth += np.pi
    height = rng.uniform(0.45, 1.25)
    direction = np.array(
        [
            np.sin(azimuth) * np.cos(height),
            np.sin(height),
            np.cos(azimuth) * np.cos(height),
        ]
    )
    warmth = rng.normal() * 0.10
    tint = np.array([1 + warmth, 1, 1 - warmth])
    ambient = rng.uniform(0.25, 0.65)
    sky = ambient * (2 - tint) * rng.uniform(0.85, 1.15)
    key = (1.55 - 1.3 * ambient) * tint * rng.uniform(0.85, 1.2)
    return Light(
        direction,
        key,
        sky,
        sky * rng.uniform(0.35, 0.75),
        float(rng.uniform(0.002, 0.010)),
    )

"""One synthetic person: a pure function of seed, split and index."""

from typing import NamedTuple

import cv2
import numpy as np
import torch

from mmd2a.geometry.rasterization import Raster, rasterize
from mmd2a.people.lens import Lens
from mmd2a.people.looks import Look
from mmd2a.people.photo import (
    PHOTO_VIEW,
    photo_lens,
    photo_light,
    photo_look,
    photo_room,
    plainer,
)
from mmd2a.people.poses import SPLITS, sample_pose
from mmd2a.people.rectangles import join
from mmd2a.people.renderer import Geometry, draw_geometry, shade
from mmd2a.people.room import sample_occluder, sample_room
from mmd2a.people.scene import (
    Camera,
    Light,
    Scene,
    View,
    sample_camera,
    sample_light,
)
from mmd2a.people.world import World, body_faces, body_model, part_labels

__all__ = [
    'HIDDEN',
    'JOINT_SETS',
    'LOOKS',
    'OUTSIDE',
    'SEEN',
    'Person',
    'draw_person',
    'render_person',
]

#: Joint sets every person is labelled with.
JOINT_SETS = ('smpl24', 'h36m14', 'coco17')
#: How people, places and pictures can look; 'mixed': every other like photos.
LOOKS = ('plain', 'photo', 'mixed')
#: Visibility of a joint, as in COCO: outside the image, hidden by an object
#: or by the person's own body, seen.
OUTSIDE, HIDDEN, SEEN = 0, 1, 2

# How many people stand behind something, and between which shares of them
# then stays visible: (share of people, least, most).
_OCCLUSION = dict(
    train=(0.4, 0.45, 0.95),
    val=(0.4, 0.45, 0.95),
    test=(0.4, 0.45, 0.95),
    ood=(0.85, 0.25, 0.75),
)
# How often an occluder is drawn anew before the person goes without.
_MAX_OCCLUDERS = 10
_MOTION_BLUR_SHARE_OOD = 0.6
# A joint lies this deep under the skin at most, metres.
_JOINT_DEPTH = 0.16
_DEPTH_LIMIT = 65.535


class Person(NamedTuple):
    """Images and labels of one person.

    H = W: image size. OpenCV camera frame, metres, radians, pixels.

    Attributes:
        image: (H, W, 3) uint8 BGR.
        depth: (H, W) uint16 millimetres of the whole scene; 0 is unknown.
        mask: (H, W) uint8: 255 person, 128 person behind an object.
        parts: (H, W) uint8: 0, or 1 + the joint that moves the surface most.
        labels: arrays by name: global_orient (3,), body_pose (69,), betas
            (10,), transl (3,), K (3, 3), bbox (4,) xyxy of the whole person
            within the image, visible_fraction (), and for each joint set S of
            :data:`JOINT_SETS` keypoints3d_S (J, 3), keypoints2d_S (J, 2),
            visibility_S (J,).
        motion: name of the motion.
    """

    image: np.ndarray
    depth: np.ndarray
    mask: np.ndarray
    parts: np.ndarray
    labels: dict[str, np.ndarray]
    motion: str


def render_person(
    seed: int,
    split: str,
    index: int,
    image_size: int = 256,
    frames: np.ndarray | None = None,
    looks: str = 'plain',
) -> Person:
    """Make person ``index`` of a split.

    Args:
        seed: seed of the data set.
        split: 'train', 'val', 'test' or 'ood'.
        index: number of the person in the split.
        image_size: width and height, pixels. The same person is drawn at
            every size.
        frames: (T, 24, 3) axis-angle poses of the user's own motions.
        looks: 'plain', or 'photo' for clothes, places, light and cameras
            nearer to those of photos (:mod:`.photo`), in the same pose and
            with the same body; 'mixed': so if ``index`` is odd.

    Returns:
        Person: the same bytes for the same arguments.

    Raises:
        ValueError: looks that there are not.

    Example:
        >>> person = render_person(seed=0, split='train', index=3,
        ...                        image_size=64)
        >>> person.image.shape, person.labels['keypoints2d_coco17'].shape
        ((64, 64, 3), (17, 2))
    """
    if looks not in LOOKS:
        raise ValueError(
            f'looks must be one of {", ".join(LOOKS)}, not {looks!r}'
        )
    photo = looks == 'photo' or (looks == 'mixed' and index % 2 == 1)
    rng = np.random.default_rng([seed, SPLITS[split], index])
    ood = split == 'ood'
    pose = sample_pose(rng, split, seed, frames)
    look = Look.sample(rng)
    if photo:
        look = photo_look(rng, look)
    world = World.build(rng, pose, look)
    view = PHOTO_VIEW if photo else View()
    camera = sample_camera(rng, world.clothed, image_size, view)
    room = sample_room(rng, world.clothed, camera, world.seat_height)
    light = sample_light(rng)
    lens = Lens.sample(rng, ood and rng.random() < _MOTION_BLUR_SHARE_OOD)
    if photo:
        room = photo_room(rng, room, world.clothed)
        light, lens = photo_light(rng, light), photo_lens(rng, lens)

    body = rasterize(
        camera.to_camera(world.clothed),
        body_faces(),
        camera.K,
        (image_size, image_size),
    )
    occluder = _choose_occluder(rng, split, camera, world.clothed, body)
    if photo and occluder is not None:
        occluder = plainer(rng, occluder)
    scene = room if occluder is None else _put_together(room, occluder)
    return draw_person(
        world, look, body, scene, camera, light, lens, pose.motion
    )


def draw_person(
    world: World,
    look: Look,
    body: Raster,
    scene: Scene,
    camera: Camera,
    light: Light,
    lens: Lens,
    motion: str,
) -> Person:
    """Draw and label a person who stands in the world.

    Args:
        world: the person.
        look: of the person.
        body: ``world.clothed`` as the camera sees it.
        scene: all else.
        camera: in the world.
        light: on the scene.
        lens: of the camera.
        motion: name of what the person does.
    """
    faces, clothed = body_faces(), camera.to_camera(world.clothed)
    geometry = draw_geometry(body, scene, camera)
    image = shade(geometry, clothed, faces, look, scene, camera, light, lens)

    whole = np.isfinite(geometry.body.depth)
    mask = np.where(geometry.visible, 255, np.where(whole, 128, 0))
    depth = np.where(geometry.depth < _DEPTH_LIMIT, geometry.depth, 0)
    parts = np.zeros(mask.shape, np.uint8)
    seen = geometry.visible
    corner = np.argmax(geometry.body.barycentric[seen], -1)
    parts[seen] = part_labels()[faces[geometry.body.face[seen], corner]] + 1
    labels = _labels(world, camera, look, geometry)
    return Person(
        image,
        np.round(depth * 1000).astype(np.uint16),
        mask.astype(np.uint8),
        parts,
        labels,
        motion,
    )


def _choose_occluder(
    rng: np.random.Generator,
    split: str,
    camera: Camera,
    clothed: np.ndarray,
    body: Raster,
) -> Scene | None:
    """Draw occluders until one hides neither too little nor too much."""
    share, least, most = _OCCLUSION[split]
    if rng.random() >= share:
        return None
    for _ in range(_MAX_OCCLUDERS):
        occluder = sample_occluder(rng, camera, clothed, split == 'ood')
        if not occluder.materials:
            return None
        visible = _visible_fraction(draw_geometry(body, occluder, camera))
        if least <= visible <= most:
            return occluder
    return None


def _put_together(first: Scene, second: Scene) -> Scene:
    shifted = second.rectangles._replace(
        material=second.rectangles.material + len(first.materials)
    )
    return Scene(
        join([first.rectangles, shifted]),
        first.materials + second.materials,
        np.concatenate([first.casts_shadow, second.casts_shadow]),
    )


def _visible_fraction(geometry: Geometry) -> float:
    whole = np.isfinite(geometry.body.depth).sum()
    return float(geometry.visible.sum() / max(whole, 1))


def _labels(
    world: World, camera: Camera, look: Look, geometry: Geometry
) -> dict[str, np.ndarray]:
    """The labels of a person, see :class:`Person`."""
    size = len(geometry.depth)
    rotations = world.rotations.copy()
    rotations[0] = camera.rotation @ rotations[0]
    pose = np.stack([cv2.Rodrigues(r)[0][:, 0] for r in rotations])
    vertices = camera.to_camera(world.vertices)
    labels = dict(
        global_orient=pose[0],
        body_pose=pose[1:].ravel(),
        betas=look.betas,
        transl=camera.to_camera(world.joints[0]) - world.rest_pelvis,
        K=camera.K,
        bbox=_box(vertices, camera.K, size),
        visible_fraction=np.float32(_visible_fraction(geometry)),
    )
    points = torch.from_numpy(vertices).float()[None]
    for joint_set in JOINT_SETS:
        if joint_set == 'smpl24':
            # The tree's own joints, not regressed from the posed surface.
            joints = camera.to_camera(world.joints)
        else:
            joints = body_model().regress_joints(points, joint_set)[0].numpy()
        pixels = joints @ camera.K.T
        pixels = pixels[:, :2] / np.maximum(pixels[:, 2:], 1e-6)
        labels[f'keypoints3d_{joint_set}'] = joints
        labels[f'keypoints2d_{joint_set}'] = pixels
        labels[f'visibility_{joint_set}'] = _visibility(
            joints, pixels, geometry
        )
    return {
        name: np.asarray(
            value, np.uint8 if 'visibility' in name else np.float32
        )
        for name, value in labels.items()
    }


def _box(vertices: np.ndarray, K: np.ndarray, size: int) -> np.ndarray:
    """Bounding box (4,) xyxy of the projected body, cut at the image."""
    pixels = vertices @ K.T
    pixels = pixels[:, :2] / np.maximum(pixels[:, 2:], 1e-6)
    box = np.concatenate([pixels.min(0), pixels.max(0)])
    return np.clip(box, -0.5, size - 0.5)


def _visibility(
    joints: np.ndarray, pixels: np.ndarray, geometry: Geometry
) -> np.ndarray:
    size = len(geometry.depth)
    column, row = np.round(pixels).astype(int).T
    inside = (
        (column >= 0)
        & (column < size)
        & (row >= 0)
        & (row < size)
        & (joints[:, 2] > 0)
    )
    column, row = np.clip(column, 0, size - 1), np.clip(row, 0, size - 1)
    seen = geometry.visible[row, column]
    seen &= joints[:, 2] < geometry.depth[row, column] + _JOINT_DEPTH
    return np.where(inside, np.where(seen, SEEN, HIDDEN), OUTSIDE)

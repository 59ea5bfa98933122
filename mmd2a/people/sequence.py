"""One synthetic person over time: a motion played at a frame rate."""

from collections.abc import Iterator

import numpy as np

from mmd2a.geometry.rasterization import rasterize
from mmd2a.people.angles import angles_to_rotations
from mmd2a.people.lens import Lens
from mmd2a.people.looks import Look
from mmd2a.people.motions import ACROBATICS, EVERYDAY, Motion, pose_at
from mmd2a.people.person import Person, draw_person
from mmd2a.people.photo import (
    PHOTO_VIEW,
    photo_lens,
    photo_light,
    photo_look,
    photo_room,
)
from mmd2a.people.poses import Pose
from mmd2a.people.room import sample_room
from mmd2a.people.scene import sample_camera, sample_light
from mmd2a.people.world import World, body_faces

__all__ = ['render_sequence']

_MOTIONS = {motion.name: motion for motion in (*EVERYDAY, *ACROBATICS)}


def render_sequence(
    seed: int,
    motion: str,
    num_frames: int,
    fps: float = 30.0,
    period: float = 2.0,
    image_size: int = 256,
) -> Iterator[Person]:
    """Film a person who repeats a motion.

    Person, clothes, place, light and camera stay; what the person does runs
    forth and back through the key poses (a cyclic motion: round). The camera
    stands still and has all frames in view. The noise of its sensor is drawn
    anew for each frame.

    Args:
        seed: of everything but the motion.
        motion: name of a motion of :mod:`.motions`.
        num_frames: frames.
        fps: frames per second.
        period: seconds until the motion repeats.
        image_size: width and height, pixels.

    Yields:
        :class:`~mmd2a.people.Person`, the same for the same arguments.

    Raises:
        ValueError: a motion that there is not.

    Example:
        >>> frames = list(render_sequence(0, 'punch', 2, image_size=64))
        >>> frames[1].image.shape, frames[1].motion
        ((64, 64, 3), 'punch')
    """
    if motion not in _MOTIONS:
        raise ValueError(
            f'motion must be one of {", ".join(_MOTIONS)}, not {motion!r}'
        )
    rng = np.random.default_rng([seed, 11])
    look = photo_look(rng, Look.sample(rng))
    heading = int(rng.integers(2**31))
    # First where the person gets to, a few bodies at a time.
    reach = np.concatenate(
        [
            _world(heading, _MOTIONS[motion], phase, look).clothed[::7]
            for phase in np.linspace(0, 1, 9)
        ]
    )
    camera = sample_camera(rng, reach, image_size, PHOTO_VIEW)
    room = photo_room(rng, sample_room(rng, reach, camera, None), reach)
    light = photo_light(rng, sample_light(rng))
    lens = photo_lens(rng, Lens.sample(rng))
    for number in range(num_frames):
        phase = _phase(_MOTIONS[motion], number / fps / period)
        world = _world(heading, _MOTIONS[motion], phase, look)
        body = rasterize(
            camera.to_camera(world.clothed),
            body_faces(),
            camera.K,
            (image_size, image_size),
        )
        row, column = rng.integers(256, size=2)
        noisy = lens._replace(noise_corner=(int(row), int(column)))
        yield draw_person(
            world, look, body, room, camera, light, noisy, motion
        )


def _phase(motion: Motion, turns: float) -> float:
    """Where in its key poses a motion is after so many of its periods."""
    if motion.cyclic:
        return turns % 1
    return 1 - abs(2 * (turns % 1) - 1)


def _world(heading: int, motion: Motion, phase: float, look: Look) -> World:
    rotations = angles_to_rotations(pose_at(motion, phase))
    lift = motion.lift * np.sin(np.pi * phase)
    return World.build(
        np.random.default_rng(heading),
        Pose(motion.name, rotations, float(lift)),
        look,
    )

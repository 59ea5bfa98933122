"""The people of a video, frame after frame: who they are, and smoothed.

Of any length: what is held is the few seconds that smoothing looks at.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.apis.video.smoothing import OnlineSmoother, Smoothing, smooth_people
from mmd2a.apis.video.tracking import Tracker

__all__ = ['identify', 'smooth_stream']


def identify(
    frames: Iterable[Sequence[PersonMesh]], fps: float, tracker: Tracker
) -> Iterator[list[PersonMesh]]:
    """Give people of a video their ``track_id``.

    Args:
        frames: people of each frame.
        fps: frames per second.
        tracker: who is who.

    Yields:
        The people of each frame, in their order.
    """
    for number, people in enumerate(frames):
        ids = tracker([person.bbox for person in people], number / fps)
        yield [
            replace(person, track_id=track)
            for person, track in zip(people, ids)
        ]


def smooth_stream(
    frames: Iterable[Sequence[PersonMesh]],
    fps: float,
    settings: Smoothing = Smoothing(),
) -> Iterator[list[PersonMesh]]:
    """Smooth people of a video, each for themselves.

    With ``lookahead`` in pieces of twice that, each with what was before it
    and what comes after: of what is farther away next to nothing is left in
    the filter.

    Args:
        frames: people of each frame, with their ``track_id``.
        fps: frames per second.
        settings: how much.

    Yields:
        The people of each frame, in their order, by ``lookahead`` to three
        times that later.
    """
    if not settings.lookahead:
        yield from _online(frames, fps, settings)
        return
    context = math.ceil(settings.lookahead * fps)
    block = 2 * context
    held: list[Sequence[PersonMesh]] = []
    done = 0  # of those that are held
    for people in frames:
        held.append(people)
        if len(held) == done + block + context:
            yield from _smooth(held, fps, settings)[done : done + block]
            held = held[done + block - context :]
            done = context
    yield from _smooth(held, fps, settings)[done:]


def _smooth(
    frames: Sequence[Sequence[PersonMesh]], fps: float, settings: Smoothing
) -> list[list[PersonMesh]]:
    """Smooth a piece as a whole."""
    where: dict[int | None, list[tuple[int, int]]] = defaultdict(list)
    for number, people in enumerate(frames):
        for index, person in enumerate(people):
            where[person.track_id].append((number, index))
    result = [list(people) for people in frames]
    for places in where.values():
        smooth = smooth_people(
            [frames[number][index] for number, index in places],
            [number / fps for number, _ in places],
            settings,
        )
        for (number, index), person in zip(places, smooth):
            result[number][index] = person
    return result


def _online(
    frames: Iterable[Sequence[PersonMesh]], fps: float, settings: Smoothing
) -> Iterator[list[PersonMesh]]:
    smoothers: dict[int | None, tuple[OnlineSmoother, int]] = {}
    gap = settings.max_gap * fps
    for number, people in enumerate(frames):
        result = []
        for person in people:
            smoother, last = smoothers.get(
                person.track_id, (OnlineSmoother(settings), number - 1)
            )
            result.append(smoother(person, (number - last) / fps))
            smoothers[person.track_id] = smoother, number
        smoothers = {
            track: (smoother, last)
            for track, (smoother, last) in smoothers.items()
            if number - last <= gap
        }
        yield result

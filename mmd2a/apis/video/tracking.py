"""Who is who from frame to frame: boxes that overlap are one person."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linear_sum_assignment

from mmd2a.apis.errors import InputError

__all__ = ['Tracker', 'box_iou']


def box_iou(a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Intersection over union of every box with every other.

    Args:
        a: (N, 4) xyxy, pixels.
        b: (M, 4).

    Returns:
        (N, M) in [0, 1]; 0 of boxes without an area.

    Example:
        >>> box_iou([[0, 0, 2, 2]], [[1, 0, 3, 2], [5, 5, 6, 6]]).round(2)
        array([[0.33, 0.  ]])
    """
    a = np.asarray(a, np.float64).reshape(-1, 1, 4)
    b = np.asarray(b, np.float64).reshape(1, -1, 4)
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a, b)[..., 2:]
    both = np.clip(high - low, 0, None).prod(-1)
    areas = [
        np.clip(x[..., 2:] - x[..., :2], 0, None).prod(-1) for x in (a, b)
    ]
    union = areas[0] + areas[1] - both
    return np.divide(both, union, out=np.zeros_like(both), where=union > 0)


@dataclass
class _Track:
    number: int
    box: NDArray
    time: float
    velocity: NDArray

    def box_at(self, time: float) -> NDArray:
        return self.box + np.tile(self.velocity, 2) * (time - self.time)


class Tracker:
    """Give people numbers that stay theirs.

    Boxes of a frame are matched with those of before, moved on as they were
    moving, so that the sum of overlaps is greatest (Hungarian method). A
    person who was not seen for longer than ``max_gap`` is somebody new.

    Args:
        min_iou: boxes that overlap less are not of one person.
        max_gap: seconds.

    Raises:
        InputError: values that mean nothing.

    Example:
        >>> tracker = Tracker()
        >>> tracker([[0, 0, 9, 20], [50, 0, 60, 20]], time=0.0)
        [0, 1]
        >>> tracker([[51, 0, 61, 20], [1, 0, 10, 20]], time=0.04)
        [1, 0]
    """

    def __init__(self, min_iou: float = 0.2, max_gap: float = 0.5) -> None:
        if not (0 < min_iou <= 1 and max_gap >= 0):
            raise InputError(
                f'min_iou={min_iou} is not in (0, 1], or max_gap={max_gap} '
                'is negative'
            )
        self.min_iou = min_iou
        self.max_gap = max_gap
        self._tracks: list[_Track] = []
        self._count = 0

    def __call__(self, boxes: ArrayLike, time: float) -> list[int]:
        """Number the people of a frame.

        Args:
            boxes: (N, 4) xyxy, pixels.
            time: of the frame, seconds; later than that of the last one.

        Returns:
            N numbers, different ones.
        """
        found = np.asarray(boxes, np.float64).reshape(-1, 4)
        self._tracks = [
            track
            for track in self._tracks
            if time - track.time <= self.max_gap
        ]
        expected = [track.box_at(time) for track in self._tracks]
        overlap = box_iou(np.reshape(expected, (-1, 4)), found)
        # What cannot be is worth as much as no match at all.
        overlap[overlap < self.min_iou] = 0
        matches = {
            int(column): self._tracks[row]
            for row, column in zip(*linear_sum_assignment(-overlap))
            if overlap[row, column] > 0
        }
        return [
            self._number(matches.get(index), box, time)
            for index, box in enumerate(found)
        ]

    def _number(self, track: _Track | None, box: NDArray, time: float) -> int:
        if track is None:
            track = _Track(self._count, box, time, np.zeros(2))
            self._count += 1
            self._tracks.append(track)
            return track.number
        moved = (box - track.box).reshape(2, 2).mean(0) / (time - track.time)
        # Detectors tremble: half of the old speed stays.
        track.velocity = (track.velocity + moved) / 2
        track.box, track.time = box, time
        return track.number

"""Numbers of people stay theirs."""

import numpy as np
import pytest

from mmd2a.apis.video.tracking import Tracker, box_iou


def boxes(*centres, size=(20, 60)):
    centres = np.array([(x, 50) for x in centres], float)
    return np.hstack(
        [centres - np.array(size) / 2, centres + np.array(size) / 2]
    )


def test_iou_is_that_of_counted_pixels():
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 12, (6, 2, 2))
    some = np.concatenate([corners.min(1), corners.max(1)], 1)
    grid = np.zeros((6, 12, 12), bool)
    for cells, (left, top, right, bottom) in zip(grid, some):
        cells[top:bottom, left:right] = True
    both = (grid[:, None] & grid).sum((2, 3))
    union = (grid[:, None] | grid).sum((2, 3))
    expected = np.where(union > 0, both / np.maximum(union, 1), 0)
    assert box_iou(some, some) == pytest.approx(expected)
    assert box_iou(np.zeros((0, 4)), some).shape == (0, 6)


def test_people_who_cross_keep_their_numbers_in_any_order():
    tracker = Tracker()
    rng = np.random.default_rng(0)
    numbers = {'walks right': set(), 'walks left': set()}
    for frame in range(60):
        places = {'walks right': 20 + 3 * frame, 'walks left': 201 - 3 * frame}
        names = list(rng.permutation(list(places)))
        found = tracker(boxes(*(places[n] for n in names)), frame / 30)
        for name, number in zip(names, found):
            numbers[name].add(number)
    assert sorted(map(sorted, numbers.values())) == [[0], [1]]


def test_the_sum_of_overlaps_decides_not_the_first_come():
    tracker = Tracker()
    assert tracker(boxes(50, 58), 0) == [0, 1]
    # The best pair alone, 58 with 57, would leave 50 with 66: no overlap.
    assert tracker(boxes(57, 66), 0.04) == [0, 1]


def test_out_of_sight_for_a_moment_or_for_long():
    tracker = Tracker(max_gap=0.5)
    tracker(boxes(50, 100), 0.0)
    assert tracker(boxes(100), 0.1) == [1]
    assert tracker([], 0.2) == []
    assert tracker(boxes(100, 50), 0.4) == [1, 0]
    assert tracker(boxes(100), 1.5) == [2]


def test_two_people_never_share_a_number():
    tracker = Tracker()
    tracker(boxes(50), 0)
    assert len(set(tracker(boxes(50, 51, 52), 0.04))) == 3


def test_mistakes():
    with pytest.raises(ValueError, match='min_iou'):
        Tracker(min_iou=0)

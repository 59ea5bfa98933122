"""Inverse depth taken for depth is noticed, and only that."""

import numpy as np
import pytest

from mmd2a.datasets import SyntheticPeople
from mmd2a.depth import (
    DepthDegradation,
    OrientationWatch,
    degrade_depth,
    depth_of_kind,
    share_beside_farther,
)


@pytest.fixture(scope='module', params=['val', 'ood'])
def frames(request, tmp_path_factory):
    """Depth maps of whole pictures, as a model would give them, and boxes."""
    data = SyntheticPeople(
        str(tmp_path_factory.mktemp('people')),
        split=request.param,
        num_people=32,
        image_size=96,
        num_workers=1,
        shard_size=32,
        pipeline=[dict(type='mmd2a.LoadFrame')],
    )
    rng = np.random.default_rng(0)
    return [
        (degrade_depth(x['depth'], rng, DepthDegradation()), x['bbox'])
        for x in (data[i] for i in range(32))
    ]


def warned(frames, caplog, kind: str) -> list[str]:
    caplog.clear()
    watch = OrientationWatch(kind)
    for values, box in frames:
        watch.see(depth_of_kind(values, kind), box)
    return [record.getMessage() for record in caplog.records]


@pytest.fixture
def caplog(caplog, monkeypatch):
    """Records of the current logger, which hands nothing on."""
    from mmengine.logging import MMLogger

    logger = MMLogger.get_instance('orientation')
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def test_right_declarations_are_silent(frames, caplog):
    assert warned(frames, caplog, 'metric') == []
    shifted = [(2 * z - 11, box) for z, box in frames]
    assert warned(shifted, caplog, 'depth') == []
    inverse = [(1 / z - 0.2, box) for z, box in frames]
    assert warned(inverse, caplog, 'disparity') == []


@pytest.mark.parametrize('kind', ['metric', 'depth', 'disparity'])
def test_the_wrong_way_round_warns_once(frames, caplog, kind):
    if kind != 'disparity':
        frames = [(1 / z, box) for z, box in frames]
    (message,) = warned(frames + frames, caplog, kind)
    other = 'depth' if kind == 'disparity' else 'disparity'
    assert f"depth_kind='{kind}'" in message
    assert f"depth_kind='{other}'" in message


def test_a_few_samples_are_no_evidence(frames, caplog):
    inverse = [(1 / z, box) for z, box in frames[:7]]
    assert warned(inverse, caplog, 'metric') == []


def test_only_the_order_of_values_counts(frames):
    for z, box in frames[:8]:
        # Half the digits would make two values one, here and there.
        z = z.astype(np.float64)
        share = share_beside_farther(z, box)
        assert share_beside_farther(5 * z - 3, box) == share
        assert share_beside_farther(-1 / z, box) == pytest.approx(share)
        assert share_beside_farther(1 / z, box) == pytest.approx(1 - share)


@pytest.mark.parametrize(
    'box', [(0, 0, 40, 40), (-30, -30, 90, 90), (50, 5, 60, 30), (5, 5, 5, 5)]
)
def test_nothing_to_compare_gives_nothing(box):
    assert share_beside_farther(np.ones((40, 40)), box) is None


def test_all_missing_gives_nothing():
    depth = np.full((40, 40), np.nan)
    assert share_beside_farther(depth, (15, 10, 25, 40)) is None

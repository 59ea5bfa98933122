"""Errors in the image, visible and hidden joints apart."""

import math

import numpy as np
import pytest
import torch

from mmd2a.evaluation import Keypoints2DMetric

N, J = 7, 14


@pytest.fixture
def samples():
    rng = np.random.default_rng(0)
    people = []
    for index in range(N):
        target = rng.uniform(-1.2, 1.2, (J, 2))
        people.append(
            dict(
                sample_idx=index,
                entry_id=str(index),
                keypoints2d_visibility=rng.integers(1, 3, J),
                gt=dict(
                    keypoints2d=torch.from_numpy(target),
                    keypoints2d_weight=torch.from_numpy(
                        rng.integers(0, 2, J).astype(np.float32)
                    ),
                ),
                pred=dict(
                    keypoints2d=torch.from_numpy(
                        target + rng.normal(0, 0.1, (J, 2))
                    )
                ),
            )
        )
    return people


def evaluate(samples, size=N, batch=3, **options):
    metric = Keypoints2DMetric(**options)
    for start in range(0, len(samples), batch):
        metric.process({}, samples[start : start + batch])
    return metric.evaluate(size)


def test_errors_are_those_of_a_plain_loop(samples):
    seen, hidden = [], []
    for s in samples:
        for j in range(J):
            if s['gt']['keypoints2d_weight'][j] == 0:
                continue
            x, y = s['gt']['keypoints2d'][j].tolist()
            u, v = s['pred']['keypoints2d'][j].tolist()
            error = math.hypot(u - x, v - y) * 96 / 2
            inside = abs(x) < 1 and abs(y) < 1
            clear = inside and s['keypoints2d_visibility'][j] == 2
            (seen if clear else hidden).append(error)
    result = evaluate(samples)
    assert result['2d/projected-visible'] == pytest.approx(np.mean(seen))
    assert result['2d/projected-hidden'] == pytest.approx(np.mean(hidden))
    assert result['2d/projected-median'] == pytest.approx(np.median(seen))
    assert result['2d/num_visible'] == len(seen)
    assert result['2d/num_hidden'] == len(hidden)
    assert not any('localized' in key for key in result)


def test_padding_order_and_batches_leave_no_trace(samples):
    expected = evaluate(samples)
    assert evaluate(samples[::-1] + samples[:2], batch=2) == expected


def test_localised_joints_are_named_beside(samples):
    for s in samples:
        s['pred']['keypoints2d_localized'] = s['gt']['keypoints2d'] + 0.5
    result = evaluate(samples, pixels=128)
    half_diagonal = 64 * 0.5 * math.sqrt(2)
    assert result['2d/localized-visible'] == pytest.approx(half_diagonal)


def test_without_visibility_what_is_in_the_crop_is_visible(samples):
    for s in samples:
        s['keypoints2d_visibility'] = None
    inside = sum(
        int(
            (
                (s['gt']['keypoints2d'].abs().amax(-1) < 1)
                & (s['gt']['keypoints2d_weight'] > 0)
            ).sum()
        )
        for s in samples
    )
    assert evaluate(samples)['2d/num_visible'] == inside


def test_nothing_labelled_is_no_number(samples):
    for s in samples:
        s['gt']['keypoints2d_weight'].zero_()
    result = evaluate(samples)
    assert math.isnan(result['2d/projected-visible'])
    assert math.isnan(result['2d/projected-median'])

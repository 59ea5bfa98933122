"""Motions of a data set, in any order, with gaps."""

import math

import pytest
import torch

from mmd2a.evaluation import SequenceMetric, acceleration_error, jitter


@pytest.fixture
def motions():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 2, 9, 14, 3, generator=generator)


def sample(index, sequence, number, pred, target, weight=1.0):
    return dict(
        sample_idx=index,
        entry_id=str(index),
        joint_set='h36m14',
        sequence=sequence,
        frame_number=number,
        pred=dict(keypoints3d=pred + 3),
        gt=dict(
            keypoints3d=target - 5,
            keypoints3d_weight=torch.full((14,), weight),
        ),
    )


def samples(motions, left_out=()):
    return [
        sample(9 * person + frame, f'walk {person}', 100 + frame, pred, target)
        for person, (preds, targets) in enumerate(motions)
        for frame, (pred, target) in enumerate(zip(preds, targets))
        if (person, frame) not in left_out
    ]


def evaluate(batches, size):
    metric = SequenceMetric(fps=25)
    for batch in batches:
        metric.process({}, batch)
    return metric.evaluate(size)


def relative(joints):
    return joints - joints[:, [2, 3]].mean(1, keepdim=True)


def test_it_is_the_mean_of_the_kernels_in_any_order(motions):
    every = samples(motions)
    order = torch.randperm(18, generator=torch.Generator().manual_seed(1))
    mixed = [every[i] for i in order.tolist()]
    # One sample twice, as samplers pad.
    result = evaluate([mixed[:7], mixed[7:], mixed[:1]], 18)
    accel, shaken, true = (
        torch.cat(parts).mean().item()
        for parts in (
            [acceleration_error(relative(p), relative(t)) for p, t in motions],
            [jitter(relative(p), 25) for p, _ in motions],
            [jitter(relative(t), 25) for _, t in motions],
        )
    )
    name = 'synthetic_h36m14/'
    assert result[f'{name}Accel'] == pytest.approx(accel, rel=1e-5)
    assert result[f'{name}jitter'] == pytest.approx(shaken, rel=1e-5)
    assert result[f'{name}jitter-truth'] == pytest.approx(true, rel=1e-5)
    assert result[f'{name}num_sequences'] == 2
    assert result[f'{name}num_frames'] == 18


def test_nothing_is_told_of_the_frames_around_a_gap(motions):
    expected = torch.cat(
        [
            acceleration_error(relative(pred), relative(target))
            for pred, target in motions
        ]
    )
    # Of the first person frame 4 is missing, so differences 2, 3 and 4 are.
    kept = [0, 1, 5, 6, *range(7, 14)]
    missing = evaluate([samples(motions, {(0, 4)})], 17)
    every = samples(motions)
    every[4]['gt']['keypoints3d_weight'][7] = 0
    unlabelled = evaluate([every], 18)
    for result in (missing, unlabelled):
        assert result['synthetic_h36m14/Accel'] == pytest.approx(
            expected[kept].mean().item(), rel=1e-5
        )


def test_pictures_are_no_sequences(motions):
    every = samples(motions)
    for each in every:
        del each['sequence']
    result = evaluate([every], 18)
    assert math.isnan(result['synthetic_h36m14/Accel'])
    assert result['synthetic_h36m14/num_skipped'] == 18


def test_mistakes_are_named(motions):
    every = samples(motions)
    every[0]['joint_set'] = 'coco17'
    with pytest.raises(ValueError, match="joint_set='coco17'"):
        evaluate([every], 18)
    with pytest.raises(ValueError, match='none of its joints'):
        SequenceMetric('3dpw_14')

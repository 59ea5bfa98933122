"""Run as a script, this file is one process of the distributed test."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement
from scipy import stats

from mmd2a.body_models import joint_names
from mmd2a.engine import shutdown_distributed
from mmd2a.evaluation import CalibrationMetric
from mmd2a.files import UnusableFileError, read_json
from mmd2a.structures import BodyDataSample

NAMES = joint_names('h36m14')
HIPS = [NAMES.index('left_hip'), NAMES.index('right_hip')]


def make_samples(count=400, factor=1.0, dims=3, seed=0):
    """People whose joints are off by as much as is said, times a factor."""
    rng = np.random.default_rng(seed)
    key = f'keypoints{dims}d'
    samples = []
    for i in range(count):
        target = rng.normal(size=(14, dims))
        if dims == 3:
            target -= target[HIPS].mean(0)
        sigma = rng.uniform(0.01, 0.1) * rng.uniform(0.8, 1.2, (14, dims))
        mean = target + sigma * rng.normal(size=(14, dims))
        # Labels stand somewhere before the camera.
        place = rng.normal(size=3) if dims == 3 else np.zeros(2)
        draws = mean + sigma * rng.normal(size=(5, 14, dims))
        sample = BodyDataSample(
            metainfo=dict(
                sample_idx=i, img_path=f'{i}.jpg', joint_set='h36m14'
            )
        )
        sample.gt = BaseDataElement(
            **{
                key: torch.from_numpy(target + place),
                f'{key}_weight': torch.ones(14),
            }
        )
        sample.pred = BaseDataElement(
            **{
                key: torch.from_numpy(mean),
                f'{key}_sigma': torch.from_numpy(sigma / factor),
                f'{key}_samples': torch.from_numpy(draws),
            }
        )
        samples.append(sample)
    return samples


def evaluate(samples, batch=64, size=None, **settings):
    evaluator = Evaluator(dict(type='mmd2a.CalibrationMetric', **settings))
    for start in range(0, len(samples), batch):
        evaluator.process(samples[start : start + batch])
    metrics = evaluator.evaluate(len(samples) if size is None else size)
    return {k.removeprefix('calibration/'): v for k, v in metrics.items()}


def stack(samples, name, field='pred'):
    return np.stack([s.get(field).get(name).numpy() for s in samples])


def errors_of(samples):
    target = stack(samples, 'keypoints3d', 'gt')
    target = target - target[:, HIPS].mean(1, keepdims=True)
    return stack(samples, 'keypoints3d') - target


@pytest.mark.parametrize('dims', [2, 3])
def test_right_sigmas_are_said_to_be_right(dims):
    metrics = evaluate(make_samples(dims=dims), dims=dims)
    assert metrics['ECE'] < 0.01
    assert metrics['temperature'] == pytest.approx(1, abs=0.02)
    for k, share in ((1, 0.683), (2, 0.954), (3, 0.997)):
        assert metrics[f'coverage-{k}sigma'] == pytest.approx(share, abs=0.01)
    assert metrics['conformal-coverage'] == pytest.approx(0.9, abs=0.02)
    assert metrics['Spearman-image'] > 0.9
    assert metrics['AURC-oracle'] <= metrics['AURC'] < metrics['risk']
    assert metrics['num_samples'] == 400


def test_too_small_sigmas_are_found_and_conformal_bounds_still_hold():
    metrics = evaluate(make_samples(factor=2.0))
    assert metrics['temperature'] == pytest.approx(2, abs=0.03)
    assert metrics['ECE'] > 0.05
    assert metrics['coverage-2sigma'] == pytest.approx(0.683, abs=0.01)
    assert metrics['conformal-coverage'] == pytest.approx(0.9, abs=0.02)


@pytest.mark.parametrize('distribution', ['gaussian', 'laplace'])
def test_numbers_are_those_of_scipy(distribution):
    samples = make_samples(60, factor=1.3)
    metrics = evaluate(samples, distribution=distribution)
    error, sigma = errors_of(samples), stack(samples, 'keypoints3d_sigma')
    law = (
        stats.norm(scale=sigma)
        if distribution == 'gaussian'
        else stats.laplace(scale=sigma / math.sqrt(2))
    )
    distance, spread = (np.linalg.norm(x, axis=-1) for x in (error, sigma))
    expected = {
        'NLL': -law.logpdf(error).sum(-1).mean(),
        'PIT-KS': stats.kstest(law.cdf(error).ravel(), 'uniform').statistic,
        'Spearman-image': stats.spearmanr(
            spread.mean(1), distance.mean(1)
        ).statistic,
        'Spearman-joint': np.mean(
            [
                stats.spearmanr(spread[:, j], distance[:, j]).statistic
                for j in range(14)
            ]
        ),
        'risk': 1000 * distance.mean(),
    }
    for name, value in expected.items():
        assert metrics[name] == pytest.approx(value, abs=1e-4), name
    draws = stack(samples, 'keypoints3d_samples')
    target = stack(samples, 'keypoints3d') - error
    best = np.linalg.norm(draws - target[:, None], axis=-1).mean(2).min(1)
    assert metrics['min-of-5'] == pytest.approx(1000 * best.mean(), abs=1e-3)


def test_bounds_go_from_validation_to_test(tmp_path):
    evaluate(make_samples(seed=1), outfile_prefix=str(tmp_path / 'val'))
    settings = dict(calibration=str(tmp_path / 'val.json'))
    metrics = evaluate(make_samples(200), **settings)
    assert metrics['conformal-coverage'] == pytest.approx(0.9, abs=0.02)
    off = evaluate(make_samples(200, factor=2.0), **settings)
    assert off['conformal-coverage'] < 0.6

    saved = read_json(tmp_path / 'val.json')
    assert saved['metrics']['num_samples'] == 400
    assert sum(saved['pit_histogram']) == pytest.approx(1)
    assert saved['risk_coverage']['risk'][-1] == pytest.approx(
        saved['metrics']['risk'], abs=1e-3
    )


def test_bounds_of_other_settings_are_refused(tmp_path):
    path = tmp_path / 'val.json'
    evaluate(make_samples(30), outfile_prefix=str(tmp_path / 'val'))
    CalibrationMetric(calibration=path)
    with pytest.raises(UnusableFileError, match='level=0.9'):
        CalibrationMetric(calibration=path, level=0.8)
    with pytest.raises(UnusableFileError, match="joint_set='h36m14'"):
        CalibrationMetric(
            calibration=path, joint_set='smpl24', root=('pelvis',)
        )
    content = json.loads(path.read_text())
    del content['conformal_bounds']['left_knee']
    path.write_text(json.dumps(content))
    with pytest.raises(UnusableFileError, match='one number above 0'):
        CalibrationMetric(calibration=path)
    path.write_text('{}')
    with pytest.raises(UnusableFileError, match='outfile_prefix'):
        CalibrationMetric(calibration=path)


def test_too_few_people_bound_nothing_and_json_can_say_so(tmp_path):
    prefix = str(tmp_path / 'few')
    metrics = evaluate(make_samples(6), outfile_prefix=prefix)
    assert metrics['conformal-coverage'] == 1
    assert metrics['conformal-radius'] == math.inf
    assert CalibrationMetric(calibration=f'{prefix}.json').bounds.by_joint == (
        (math.inf,) * 14
    )


def test_a_model_without_sigma_is_told_what_to_do():
    samples = make_samples(1)
    del samples[0].pred.keypoints3d_sigma
    with pytest.raises(ValueError, match='flow_head') as error:
        evaluate(samples)
    assert '\n' not in str(error.value)


def test_joints_of_another_set_are_refused():
    with pytest.raises(ValueError, match='joint_set of the model'):
        evaluate(make_samples(1), joint_set='coco17')


def test_unknown_joints_leave_no_trace():
    samples, spoilt = make_samples(40), make_samples(40)
    for people in (samples, spoilt):
        for i, sample in enumerate(people):
            sample.gt.keypoints3d_weight[[0, 5 + i % 3]] = 0
    for sample in spoilt:
        unknown = sample.gt.keypoints3d_weight == 0
        sample.gt.keypoints3d[unknown] = math.nan
        sample.pred.keypoints3d[unknown] += 7
        sample.pred.keypoints3d_sigma[unknown] *= 3
    first, second = evaluate(samples), evaluate(spoilt)
    assert {k: v for k, v in first.items() if k != 'min-of-5'} == {
        k: v for k, v in second.items() if k != 'min-of-5'
    }


def test_people_whose_joints_are_not_known_are_skipped():
    samples = make_samples(40)
    samples[0].gt.keypoints3d_weight[HIPS[0]] = 0
    samples[1].set_metainfo(dict(joint_set='coco17'))
    metrics = evaluate(samples)
    assert (metrics['num_samples'], metrics['num_skipped']) == (38, 2)
    nobody = evaluate(samples[:2])
    assert math.isnan(nobody['ECE']) and nobody['num_samples'] == 0


@pytest.mark.parametrize('field', ['keypoints3d', 'keypoints3d_sigma'])
def test_a_prediction_that_is_not_finite_is_not_hidden(field):
    samples = make_samples(20)
    samples[3].pred.get(field)[2, 1] = math.nan
    metrics = evaluate(samples)
    assert math.isnan(metrics['NLL']) and math.isnan(metrics['risk'])


def test_batches_order_and_padding_change_nothing():
    samples = make_samples(41)
    expected = evaluate(samples)
    shuffled = [samples[i] for i in np.random.default_rng(0).permutation(41)]
    assert evaluate(shuffled + samples[:5], batch=7, size=41) == expected


def test_processes_together_say_what_one_says(tmp_path):
    env = os.environ | dict(OMP_NUM_THREADS='1')
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(rank), str(tmp_path)],
            env=env,
            cwd=tmp_path,
        )
        for rank in range(2)
    ]
    assert [p.wait(timeout=240) for p in processes] == [0, 0]
    assert read_json(tmp_path / 'results.json') == evaluate(make_samples(41))


def main(rank: int, folder: Path) -> None:
    torch.distributed.init_process_group(
        'gloo', f'file://{folder}/store', rank=rank, world_size=2
    )
    samples = make_samples(41)
    # Round-robin, padded to equal numbers, as MMEngine's samplers do.
    mine = [samples[i % 41] for i in range(rank, 42, 2)]
    metrics = evaluate(mine, size=41)
    if rank == 0:
        (folder / 'results.json').write_text(json.dumps(metrics))
    shutdown_distributed()


if __name__ == '__main__':
    main(int(sys.argv[1]), Path(sys.argv[2]))

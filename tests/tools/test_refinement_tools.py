"""What the tools about fused and refined people measure."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from evaluate_refinement import Labels, compare, detected, measure
from fit_view_tails import fit_tails, off_the_ray
from fuse_photos import Reference

from mmd2a.apis import PersonMesh
from mmd2a.body_models import joint_names

ROOT = Path(__file__).parents[2]
WHEEL = ROOT / 'data/pose2sim/pose2sim-0.6.0-py3-none-any.whl'
CONFIG = ROOT / 'configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'
NAMES = joint_names('h36m14')
HIPS = [NAMES.index('left_hip'), NAMES.index('right_hip')]


def person(joints, place, pixels=None) -> PersonMesh:
    """Somebody of joints (14, 3) in a picture of 192 by 192 pixels."""
    return PersonMesh(
        vertices=np.zeros((3, 3)),
        keypoints3d=joints,
        keypoints2d=np.zeros((14, 2)) if pixels is None else pixels,
        joint_names=NAMES,
        transl=place,
        camera=np.ones(3),
        K=np.eye(3),
        camera_source='given',
        bbox=np.array([0.0, 0, 192, 192]),
        score=1.0,
        crop_matrix=np.eye(3)[:2],
        crop_size=(192, 192),
        image_size=(192, 192),
        sigma=np.full(3, 0.1),
        keypoints3d_sigma=np.full((14, 3), 0.1),
    )


@pytest.fixture
def joints():
    joints = np.random.default_rng(0).normal(size=(2, 14, 3))
    return joints - joints[:, HIPS].mean(1, keepdims=True)


def test_errors_are_those_that_were_made(joints):
    visible = np.zeros((2, 14), bool)
    visible[:, :5] = True
    labels = Labels(np.zeros((2, 14, 2)), visible, joints + [0, 0, 3])
    pixels = np.zeros((14, 2))
    pixels[:5, 0], pixels[5:, 1] = 4, 10  # of 192
    people = [person(each, np.array([0, 0.3, 3]), pixels) for each in joints]
    errors = measure(people, labels, HIPS)
    expected = dict(visible=2, hidden=5, MPJPE=0, root=300)
    for name, value in expected.items():
        np.testing.assert_allclose(errors[name], value, atol=1e-4)
    assert (errors['PA-MPJPE'] < 1e-3).all()


def test_a_detector_is_off_by_its_noise(joints):
    labels = Labels(np.zeros((2, 14, 2)), np.ones((2, 14), bool), joints)
    people = [person(each, np.zeros(3)) for each in joints] * 100
    labels = Labels(*(np.tile(x, (100, 1, 1)[: x.ndim]) for x in labels))
    found, scores = detected(people, labels, 2.0, seed=0)
    assert found.std() == pytest.approx(4, rel=0.05)  # of 192
    assert (scores == 1).all()


def test_seeds_are_told_with_their_spread():
    names = ('visible', 'hidden', 'MPJPE', 'PA-MPJPE', 'root')
    before = dict.fromkeys(names, np.array([4.0, np.nan, 8]))
    before['PA-MPJPE'] = np.array([4.0, 6, 8])
    after = [
        {name: value / factor for name, value in before.items()}
        for factor in (2, 4)
    ]
    row = compare(before, after)
    assert row['visible'] == pytest.approx(
        dict(before=6, after=2.25, spread=0.75)
    )
    assert row['visible lowered by'] == pytest.approx(1 - 2.25 / 6)
    assert row['PA-MPJPE change']['value'] == pytest.approx(2.25 - 6)


@pytest.mark.parametrize('dof', [2.0, 6.0])
def test_tails_are_found_again(dof):
    rng = np.random.default_rng(0)
    scale = rng.chisquare(dof, 20000) / dof
    square = rng.chisquare(3, 20000) / scale
    assert fit_tails(square) == pytest.approx(dof, rel=0.1)


def test_a_root_is_off_along_and_across():
    roots = np.array([[0.0, 0, 4], [0, 3, 4]])
    away = np.array([[0.1, 0.1, 0.5], [0, 0.3, 0.4]])
    people = [person(np.zeros((14, 3)), place) for place in roots + away]
    along, across = off_the_ray(people, roots)
    assert along == pytest.approx(0.5)
    assert across == pytest.approx(0.1 / 2**0.5)


def test_the_reference_itself_has_no_error(joints):
    weight = np.ones((2, 14))
    weight[1, HIPS[0]] = 0  # an instant without a root does not count
    truth = Reference(joints + 1.0, weight, HIPS)
    people = [person(joints[0], np.ones(3)), person(joints[0], np.zeros(3))]
    row = truth.measure(people)
    errors = [row[key] for key in ('MPJPE', 'PA-MPJPE', 'position')]
    np.testing.assert_allclose(errors, 0, atol=1e-3)
    assert row['coverage-1'] == row['coverage-2'] == 1


def run(tool, folder, *arguments):
    subprocess.run(
        [
            sys.executable,
            ROOT / 'tools/analysis' / tool,
            CONFIG,
            'd2a_hmr_mobilenet-v2',
            '--out',
            'out.json',
            *arguments,
        ],
        cwd=folder,
        check=True,
        timeout=500,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
    )
    return json.loads((folder / 'out.json').read_text())['rows']


@pytest.mark.slow
@pytest.mark.skipif(not WHEEL.exists(), reason=f'there is no {WHEEL}')
def test_fused_photographs_beat_the_best_camera(tmp_path):
    (tmp_path / 'data/pose2sim').mkdir(parents=True)
    (tmp_path / 'data/pose2sim' / WHEEL.name).symlink_to(WHEEL)
    arguments = ['--every', '5', '--sheet', 'fused.png', '--num', '2']
    rows = run('fuse_photos.py', tmp_path, *arguments)
    best = {
        key: min(
            row[key]['value']
            for name, row in rows.items()
            if name in ('camera 1', 'camera 2', 'camera 4')
        )
        for key in ('MPJPE', 'PA-MPJPE', 'position')
    }
    for key, value in best.items():
        assert rows['fused'][key]['value'] < value
        assert rows['fused, refined'][key]['value'] < value
    assert (tmp_path / 'fused.png').exists()


@pytest.mark.slow
def test_refined_people_are_nearer_and_no_worse(tmp_path):
    options = [
        f'test_dataloader.dataset.{change}'
        for change in ('num_people=60', 'shard_size=20')
    ]
    rows = run(
        'evaluate_refinement.py',
        tmp_path,
        '--num',
        '60',
        '--seeds',
        '0',
        '--cfg-options',
        *options,
    )
    for split in ('test', 'ood'):
        row = rows[f'{split}, detector']
        assert row['visible lowered by'] > 0.3
        # Of so few people a mean is known to some millimetres.
        change = row['PA-MPJPE change']
        assert change['value'] < change['half_width']

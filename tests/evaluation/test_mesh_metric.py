"""Run as a script, this file is one process of the distributed tests.

Over 350 lines: one metric, and the distributed runs share its samples.
"""

import copy
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement
from scipy.spatial.transform import Rotation

from mmd2a.body_models import (
    EMBEDDED_BODY_PATH,
    SMPLBodyModel,
    load_embedded_body,
)
from mmd2a.evaluation import MeshMetric, Protocol
from mmd2a.structures import BodyDataSample

NUM_SAMPLES = 7  # divides by neither 2 nor 3
PROTOCOLS = ('synthetic_h36m14', 'synthetic_smpl24')


@pytest.fixture(scope='module')
def samples(body):
    return make_samples(body)


def make_samples(body, count=NUM_SAMPLES):
    """People with a mesh (most) or with labelled joints only (every 3rd)."""
    generator = torch.Generator().manual_seed(0)

    def rand(*shape):
        return torch.randn(*shape, generator=generator)

    samples = []
    for i in range(count):
        sample = BodyDataSample(
            metainfo=dict(
                sample_idx=i, img_path=f'{i}.jpg', joint_set='h36m14'
            )
        )
        parameters = dict(
            global_orient=rand(3), body_pose=0.2 * rand(69), betas=rand(10)
        )
        vertices = body(**{k: v[None] for k, v in parameters.items()}).vertices
        labels_only = i % 3 == 2
        gt = dict(
            parameters,
            transl=rand(3),
            smpl_weight=torch.tensor(float(not labels_only)),
            keypoints3d=body.regress_joints(vertices, 'h36m14')[0] + rand(3),
            keypoints3d_weight=torch.ones(14),
        )
        gt['keypoints3d_weight'][i] = 0
        gt['keypoints3d_weight'][[2, 3]] = 1  # hips
        if labels_only:
            for name in parameters:
                gt[name] = torch.full_like(gt[name], math.nan)
        gt['keypoints3d'][gt['keypoints3d_weight'] == 0] = math.nan
        sample.gt = BaseDataElement(**gt)
        sample.pred = BaseDataElement(
            vertices=vertices[0]
            + 0.05 * rand(*vertices[0].shape)
            + 0.1 * rand(1, 3)
        )
        samples.append(sample)
    return samples


def evaluate(samples, batch_size=3, size=None, **kwargs):
    evaluator = Evaluator(dict(type='mmd2a.MeshMetric', **kwargs))
    for start in range(0, len(samples), batch_size):
        evaluator.process(samples[start : start + batch_size])
    return evaluator.evaluate(len(samples) if size is None else size)


def clone(sample, **metainfo):
    # BaseDataElement.clone shares gt and pred.
    sample = copy.deepcopy(sample)
    sample.set_metainfo(metainfo)
    return sample


def slow_errors(pred, target, weight):
    """MPJPE, PA-MPJPE and their z of one sample, root-aligned, metres."""

    def errors(x, y):
        distance = np.linalg.norm(x - y, axis=1)
        return (
            np.average(distance, weights=weight),
            np.average(abs(x - y)[:, 2], weights=weight),
        )

    x = pred - np.average(pred, axis=0, weights=weight)
    y = target - np.average(target, axis=0, weights=weight)
    rotation, _ = Rotation.align_vectors(y, x, weights=weight)
    turned = rotation.apply(x)
    w = weight[:, None]
    aligned = (w * turned * y).sum() / (w * turned * turned).sum() * turned
    (mean, mean_z), (pa, pa_z) = errors(pred, target), errors(aligned, y)
    return {
        'MPJPE': mean,
        'PA-MPJPE': pa,
        'MPJPE-z': mean_z,
        'PA-MPJPE-z': pa_z,
    }


def test_occluded_people_are_told_apart(samples):
    """As if the others were not there: not in a mean, not as skipped."""
    hidden = [3, 0, 6, 14, 5, 7, 2]  # of 14 joints
    people = [
        clone(
            sample,
            keypoints2d_visibility=np.repeat([1, 2], [count, 14 - count]),
        )
        for sample, count in zip(samples, hidden)
    ]
    names = ('synthetic_h36m14', 'synthetic_h36m14_occluded')
    metrics = evaluate(people, protocols=names)
    few = [p for p, count in zip(people, hidden) if count >= 0.4 * 14]
    alone = evaluate(few, protocols=names[:1])
    everybody = evaluate(people, protocols=names[:1])
    for key, value in everybody.items():
        assert metrics[key] == value
        short = key.rpartition('/')[2]
        assert metrics[f'{names[1]}/{short}'] == alone[key]
    assert alone['synthetic_h36m14/num_samples'] == 3
    nobody = evaluate(people[:2], protocols=names[1:])
    assert math.isnan(nobody[f'{names[1]}/MPJPE'])
    assert nobody[f'{names[1]}/num_samples'] == 0


def test_matches_a_slow_reference(samples):
    body = SMPLBodyModel().double()
    regressor = load_embedded_body()['h36m14_regressor'].astype(np.float64)
    collected = {
        name: []
        for name in ('MPJPE', 'PA-MPJPE', 'PVE', 'MPJPE-z', 'PA-MPJPE-z')
    }
    for sample in samples:
        gt, pred_mesh = sample.gt, sample.pred.vertices.double().numpy()
        pred = regressor @ pred_mesh
        pred_root = (pred[2] + pred[3]) / 2
        weight, target = gt.keypoints3d_weight.numpy(), gt.keypoints3d.numpy()
        if gt.smpl_weight:
            mesh = (
                body(
                    gt.global_orient[None].double(),
                    gt.body_pose[None].double(),
                    gt.betas[None].double(),
                    gt.transl[None].double(),
                )
                .vertices[0]
                .numpy()
            )
            target, weight = regressor @ mesh, np.ones(14)
            root = (target[2] + target[3]) / 2
            collected['PVE'].append(
                np.linalg.norm(
                    pred_mesh - pred_root - mesh + root, axis=1
                ).mean()
            )
        target = target - (target[2] + target[3]) / 2
        known = weight > 0
        errors = slow_errors(
            (pred - pred_root)[known],
            target[known].astype(np.float64),
            weight[known],
        )
        for name, value in errors.items():
            collected[name].append(value)
    metrics = evaluate(samples)
    for name, values in collected.items():
        assert metrics[f'synthetic_h36m14/{name}'] == pytest.approx(
            1000 * np.mean(values), abs=0.00501
        )
    assert metrics['synthetic_h36m14/num_samples'] == 7
    assert metrics['synthetic_h36m14/num_meshes'] == 5
    assert metrics['synthetic_h36m14/num_skipped'] == 0
    assert len(metrics) == 8


def test_a_perfect_prediction_has_no_error(samples):
    perfect = [clone(s) for s in samples if s.gt.smpl_weight > 0]
    body = SMPLBodyModel().double()
    for sample in perfect:
        gt = {
            k: getattr(sample.gt, k)[None].double()
            for k in ('global_orient', 'body_pose', 'betas')
        }
        # Wherever the mesh stands: errors are relative to the root.
        sample.pred.vertices = body(**gt).vertices[0] + 3
    metrics = evaluate(perfect, protocols=PROTOCOLS)
    for name, value in metrics.items():
        if '/num_' not in name:
            assert value == 0, name


def test_digits_do_not_depend_on_batches_or_order(samples):
    expected = evaluate(samples, protocols=PROTOCOLS)
    for batch_size in (1, 2, 7):
        assert evaluate(samples, batch_size, protocols=PROTOCOLS) == expected
    assert evaluate(samples[::-1], 2, protocols=PROTOCOLS) == expected


def test_padded_samples_count_once(samples):
    expected = evaluate(samples)
    assert evaluate(samples + samples[:2], size=NUM_SAMPLES) == expected


def test_concatenated_data_sets_with_equal_indices_count_in_full(samples):
    others = [clone(s, img_path='other/' + s.img_path) for s in samples]
    metrics = evaluate(samples + others)
    assert metrics['synthetic_h36m14/num_samples'] == 2 * NUM_SAMPLES


@pytest.mark.parametrize('known_by', ['bbox', 'entry_id', 'labels'])
def test_people_who_share_place_and_picture_are_kept_apart(
    samples, body, known_by
):
    """Two annotation files over the same pictures, concatenated."""
    meta = dict(sample_idx=0, img_path='same.jpg')
    people = [clone(sample, **meta) for sample in samples]
    for i, person in enumerate(people):
        if known_by == 'labels':
            continue
        # Otherwise the same in all they hold.
        person.gt = people[0].gt
        value = dict(bbox=np.array([i, 0, 9, 9]), entry_id=f'{i}')[known_by]
        person.set_metainfo({known_by: value})
    padded = people + people[:2]
    result = evaluate(padded, size=NUM_SAMPLES, batch_size=4)
    assert result['synthetic_h36m14/num_samples'] == NUM_SAMPLES
    assert result == evaluate(people)


@pytest.mark.parametrize('number', [12, 7])
def test_labels_of_other_numbers_of_shape_components_are_fitted(
    samples, monkeypatch, number
):
    told = []
    monkeypatch.setattr(
        'mmd2a.evaluation.labelled_meshes.print_log',
        lambda text, *_: told.append(text),
    )
    common = min(number, 10)
    people, fitted = [], []
    for sample in samples:
        person, like = clone(sample), clone(sample)
        person.gt.betas = torch.ones(number)
        person.gt.betas[:common] = sample.gt.betas[:common]
        like.gt.betas[common:] = 0
        people.append(person)
        fitted.append(like)
    result = evaluate(people)
    assert result == evaluate(fitted)
    assert result['synthetic_h36m14/num_meshes'] > 3
    assert [text[:30] for text in told] == (
        ['labels have 12 shape component'] if number > 10 else []
    )


def test_lost_samples_are_reported(samples, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmd2a.evaluation.sample_metric.print_log',
        lambda line, *_: lines.append(line),
    )
    evaluate(samples, size=9)
    assert any('7 different samples' in line and '9' in line for line in lines)


def test_the_log_names_protocol_and_regressor(samples, body, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmd2a.evaluation.mesh_metric.print_log',
        lambda line, *_: lines.append(line),
    )
    metrics = evaluate(samples[:1])
    (line,) = lines
    assert line.startswith(
        f'synthetic_h36m14: MPJPE {metrics["synthetic_h36m14/MPJPE"]:.2f}'
    )
    assert f'h36m14 {body.regressor_hash("h36m14")}' in line


def test_results_are_written_with_their_protocol(samples, body, tmp_path):
    prefix = tmp_path / 'results' / 'run'
    metrics = evaluate(
        samples, outfile_prefix=str(prefix), protocols=PROTOCOLS
    )
    content = json.loads(Path(f'{prefix}.json').read_text())
    first = content['protocols'][0]
    assert first['protocol']['name'] == 'synthetic_h36m14'
    assert first['regressors'] == {'h36m14': body.regressor_hash('h36m14')}
    assert first['metrics']['PVE'] == metrics['synthetic_h36m14/PVE']
    errors = [
        s['errors_m']['synthetic_h36m14']['PVE'] for s in content['samples']
    ]
    assert [s['sample_idx'] for s in content['samples']] == list(range(7))
    assert errors[2] is None  # no mesh
    mean = np.mean([e for e in errors if e is not None])
    assert 1000 * mean == pytest.approx(first['metrics']['PVE'], abs=0.00501)


def test_samples_without_usable_labels_are_skipped_and_counted(samples):
    expected = evaluate(samples[:2])
    other_joints = clone(samples[2], joint_set='coco17')
    no_root = clone(samples[5])
    no_root.gt.keypoints3d_weight[2] = 0
    metrics = evaluate(samples[:2] + [other_joints, no_root])
    assert metrics.pop('synthetic_h36m14/num_skipped') == 2
    assert expected.pop('synthetic_h36m14/num_skipped') == 0
    assert metrics == expected


def test_without_any_usable_sample_the_result_is_nan(samples):
    metrics = evaluate([samples[2]], protocols=('synthetic_smpl24',))
    assert metrics['synthetic_smpl24/num_samples'] == 0
    assert math.isnan(metrics['synthetic_smpl24/MPJPE'])


def test_a_diverged_prediction_is_not_hidden(samples):
    diverged = clone(samples[0])
    diverged.pred.vertices[:] = math.nan
    metrics = evaluate([diverged, *samples[1:]])
    assert math.isnan(metrics['synthetic_h36m14/PA-MPJPE'])
    assert math.isnan(metrics['synthetic_h36m14/PVE'])


def test_mocap_protocols_compare_with_labels_even_where_there_is_a_mesh(
    samples,
):
    moved = clone(samples[0])
    moved.gt.keypoints3d[13] += 1.4  # one joint of 13 labelled ones
    before = evaluate(samples[:1], protocols=('h36m_p2_14',))
    after = evaluate([moved], protocols=('h36m_p2_14',))
    assert after['h36m_p2_14/MPJPE'] > before['h36m_p2_14/MPJPE'] + 100
    assert after['h36m_p2_14/PVE'] == before['h36m_p2_14/PVE']
    assert evaluate([moved]) == evaluate(samples[:1])


def test_a_pelvis_root_comes_from_the_mesh_if_the_joints_have_none(samples):
    protocols = (
        Protocol('pelvis', 'h36m14', 'pelvis'),
        Protocol('hips', 'h36m14', 'mid_hip'),
        Protocol('smpl', 'smpl24', 'pelvis'),
    )
    metrics = evaluate(samples, protocols=protocols)
    assert metrics['pelvis/MPJPE'] != metrics['hips/MPJPE']
    assert metrics['pelvis/PA-MPJPE'] != metrics['smpl/PA-MPJPE']
    assert metrics['pelvis/PVE'] == metrics['smpl/PVE'] != metrics['hips/PVE']
    # Joints alone do not have this root.
    assert metrics['pelvis/num_skipped'] == 2
    assert metrics['hips/num_skipped'] == 0


def test_unaligned_vertices_are_compared_where_they_stand(samples):
    protocols = (
        Protocol('as_is', 'h36m14', 'mid_hip', vertex_alignment='none'),
    )
    moved = clone(samples[0])
    moved.pred.vertices += 1
    before, after = (
        evaluate([s], protocols=protocols) for s in (samples[0], moved)
    )
    assert after['as_is/PVE'] > before['as_is/PVE'] + 1000
    assert after['as_is/MPJPE'] == before['as_is/MPJPE']


def test_gendered_protocols_use_the_body_of_each_person(samples, tmp_path):
    arrays = dict(np.load(EMBEDDED_BODY_PATH))
    arrays['v_template'] = 1.2 * arrays['v_template'].astype(np.float32)
    larger = str(tmp_path / 'larger.npz')
    np.savez(larger, **arrays)
    bodies = dict(
        male=dict(type='mmd2a.SMPLBodyModel', path=larger),
        female=dict(type='mmd2a.SMPLBodyModel'),
    )
    female, male = (clone(samples[0], gender=g) for g in ('female', 'male'))

    def pve(*people):
        return evaluate(
            people, protocols=('3dpw_14',), gendered_body_models=bodies
        )['3dpw_14/PVE']

    neutral = evaluate(
        samples[:1], protocols=(Protocol('p', 'h36m14', 'pelvis'),)
    )['p/PVE']
    assert pve(female) == neutral
    assert pve(male) > neutral + 10
    assert pve(female, clone(male, sample_idx=1)) == pytest.approx(
        (pve(female) + pve(male)) / 2, abs=0.01
    )
    # Labelled joints alone need no body, hence no gender.
    joints_only = clone(samples[0], sample_idx=1)
    joints_only.gt.smpl_weight = torch.zeros(())
    assert pve(female, joints_only) == pve(female)
    with pytest.raises(ValueError, match='gender None.*male, female'):
        pve(samples[0])


def test_gendered_protocols_need_gendered_bodies():
    with pytest.raises(ValueError, match='gendered_body_models=dict'):
        MeshMetric(protocols=('3dpw_14',))
    with pytest.raises(ValueError, match='one metric for each'):
        MeshMetric(
            protocols=('3dpw_14', 'synthetic_h36m14'),
            gendered_body_models=dict(male=dict(type='mmd2a.SMPLBodyModel')),
        )


def test_mistakes_fail_before_training():
    with pytest.raises(KeyError, match='known protocols'):
        MeshMetric(protocols=('h36m',))
    with pytest.raises(TypeError, match='sequence'):
        MeshMetric(protocols='synthetic_h36m14')
    with pytest.raises(ValueError, match='different names'):
        MeshMetric(protocols=('3dpw_14', '3dpw_14'))
    with pytest.raises(KeyError, match='panoptic'):
        MeshMetric(protocols=(Protocol('p', 'panoptic', 'mid_hip'),))


def test_a_mesh_of_another_body_is_refused(samples):
    foreign = clone(samples[0])
    foreign.pred.vertices = torch.zeros(6890, 3)
    with pytest.raises(ValueError, match='same body_model'):
        evaluate([foreign])


def test_a_sample_without_an_index_is_refused(samples):
    anonymous = BodyDataSample()
    anonymous.gt, anonymous.pred = samples[0].gt, samples[0].pred
    with pytest.raises(KeyError, match='sample_idx'):
        evaluate([anonymous])


SPLITS = {
    # What samplers do: round-robin, padded to equal lengths.
    'padded': lambda rank, world: [
        i % NUM_SAMPLES
        for i in range(rank, math.ceil(NUM_SAMPLES / world) * world, world)
    ],
    'uneven': lambda rank, world: range(NUM_SAMPLES)[rank::world],
    # Interleaving ranks and cutting at the size of the data set, as MMEngine
    # gathers single samples, would lose the last one here.
    'overlapping blocks': lambda rank, world: range(NUM_SAMPLES)[
        rank * NUM_SAMPLES // world : (rank + 1) * NUM_SAMPLES // world + 1
    ],
    'one rank does all': lambda rank, world: range(
        NUM_SAMPLES if rank == world - 1 else 0
    ),
}


def run_rank(rank, folder):
    """Evaluate every split over three processes, then over two; one rank."""
    torch.set_num_threads(1)
    os.chdir(folder)
    samples = make_samples(SMPLBodyModel())
    for world in (3, 2):
        if rank >= world:
            return
        torch.distributed.init_process_group(
            'gloo',
            init_method=f'file://{folder}/store{world}',
            rank=rank,
            world_size=world,
        )
        results = {
            name: evaluate(
                [samples[i] for i in split(rank, world)],
                2,
                NUM_SAMPLES,
                protocols=PROTOCOLS,
            )
            for name, split in SPLITS.items()
        }
        Path(f'{rank}_of_{world}.txt').write_text(repr(results))
        torch.distributed.destroy_process_group()


@pytest.fixture(scope='module')
def printed_by_ranks(tmp_path_factory):
    """What each rank saw, with 2 and with 3 processes."""
    folder = tmp_path_factory.mktemp('ranks')
    processes = [
        subprocess.Popen(
            [sys.executable, __file__, str(rank), str(folder)],
            env={**os.environ, 'OMP_NUM_THREADS': '1'},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for rank in range(3)
    ]
    try:
        for process in processes:
            output, _ = process.communicate(timeout=240)
            assert process.returncode == 0, output
    finally:
        for process in processes:
            process.kill()
    return {
        world: [
            (folder / f'{rank}_of_{world}.txt').read_text()
            for rank in range(world)
        ]
        for world in (2, 3)
    }


@pytest.mark.parametrize('world', [2, 3])
def test_any_number_of_processes_prints_the_same_digits(
    samples, printed_by_ranks, world
):
    alone = evaluate(samples, 4, protocols=PROTOCOLS)
    expected = repr({name: alone for name in SPLITS})
    assert printed_by_ranks[world] == [expected] * world
    assert alone['synthetic_h36m14/num_samples'] == NUM_SAMPLES
    assert re.search(r"'synthetic_h36m14/MPJPE': \d+\.\d", expected)


if __name__ == '__main__':
    run_rank(int(sys.argv[1]), sys.argv[2])

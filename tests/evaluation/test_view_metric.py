"""Views are judged as the objective turns people, exactly where known."""

import copy
import math

import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import BaseDataElement

from mmd2a.body_models import SMPLBodyModel
from mmd2a.evaluation import MeshMetric, Protocol, ViewMetric
from mmd2a.geometry import crop_silhouettes, turn_into_view
from mmd2a.models.objectives import MeshObjective
from mmd2a.models.objectives.silhouettes import draw_silhouettes
from mmd2a.structures import BodyDataSample

SIDE = 48
K = torch.tensor([[90.0, 0, 23.5], [0, 90, 23.5], [0, 0, 1]])
DEGREES = (45.0, 90.0, 180.0, -90.0)
NAMES = ('045', '090', '180', '270')
YAW = torch.tensor(DEGREES).double().deg2rad()
HIPS = [2, 3]


@pytest.fixture(scope='module')
def exact():
    """The body in the precision of the metric."""
    return SMPLBodyModel().double()


def make_sample(body, seed=0, yaw=YAW, pose_error=0.0):
    """A labelled person, imagined without error, seen with ``pose_error``."""
    generator = torch.Generator().manual_seed(seed)
    pose = 0.3 * torch.randn(72, generator=generator)
    pose[0] += math.pi
    betas = torch.randn(10, generator=generator)
    mesh = centred(body, pose, betas)
    joints = body.regress_joints(mesh[None], 'h36m14')[0]
    sample = BodyDataSample(
        metainfo=dict(
            sample_idx=seed, img_path=f'{seed}.jpg', joint_set='h36m14'
        )
    )
    place = torch.tensor([0.1, -0.1, 4.0])
    sample.gt = BaseDataElement(
        global_orient=pose[:3],
        body_pose=pose[3:],
        betas=betas,
        transl=place,
        smpl_weight=torch.tensor(1.0),
        keypoints3d=joints.float() + place,
        keypoints3d_weight=torch.ones(14),
        keypoints2d=torch.zeros(14, 2),
        keypoints2d_weight=torch.zeros(14),
        mask=torch.zeros(1, SIDE, SIDE),
        mask_weight=torch.tensor(0.0),
        K=K,
    )
    seen = pose + pose_error * torch.randn(72, generator=generator)
    sample.pred = BaseDataElement(
        vertices=centred(body, seen, betas),
        views_yaw=yaw,
        views_vertices=turn_into_view(mesh, yaw),
    )
    return sample


def centred(body, pose, betas):
    """A mesh (V, 3) relative to the middle of its hips."""
    pose, betas = pose.double()[None], betas.double()[None]
    mesh = body(pose[:, :3], pose[:, 3:], betas).vertices
    hips = body.regress_joints(mesh, 'h36m14')[:, HIPS]
    return (mesh - hips.mean(1, keepdim=True))[0]


def evaluate(samples, batch=2, size=None, metric='ViewMetric', **settings):
    evaluator = Evaluator(dict(type=f'mmd2a.{metric}', **settings))
    for start in range(0, len(samples), batch):
        evaluator.process(samples[start : start + batch])
    return evaluator.evaluate(len(samples) if size is None else size)


def silhouettes(body, sample):
    """Of the labelled mesh, from every angle, (N, 1, SIDE, SIDE)."""
    joints = sample.gt.keypoints3d.double()
    meshes = sample.pred.views_vertices + joints[HIPS].mean(0)
    masks, _ = crop_silhouettes(
        meshes,
        body.faces,
        K.double().expand(len(meshes), 3, 3),
        (SIDE, SIDE),
        (SIDE, SIDE),
    )
    return masks[:, None].double()


def test_whoever_imagines_the_turned_truth_has_no_error(exact):
    samples = [make_sample(exact, seed, pose_error=0.3) for seed in range(3)]
    for sample in samples:
        sample.pred.views_mask = silhouettes(exact, sample)
    metrics = evaluate(samples)
    for view in (*NAMES, 'mean'):
        values = {
            key.removeprefix(f'views/{view}/'): value
            for key, value in metrics.items()
            if key.startswith(f'views/{view}/')
        }
        assert values.pop('MPJPE-rotated') > 20
        assert values.pop('PA-MPJPE-rotated') > 10
        assert values.pop('IoU-rotated') < 0.95
        assert values == {
            'MPJPE': 0,
            'PA-MPJPE': 0,
            'IoU': 1,
            'IoU-decoded': 1,
        }
    assert metrics['views/num_samples'] == 3
    assert metrics['views/num_silhouettes'] == 3
    assert metrics['views/num_skipped'] == 0


def test_a_perfect_photograph_rotated_has_no_error(exact):
    """And who answers every view with it is off by the turn alone."""
    samples = [make_sample(exact, seed) for seed in range(2)]
    for sample in samples:
        sample.pred.views_vertices = sample.pred.vertices.expand(4, -1, -1)
    metrics = evaluate(samples)
    for view in (*NAMES, 'mean'):
        assert metrics[f'views/{view}/MPJPE-rotated'] == 0
        assert metrics[f'views/{view}/PA-MPJPE-rotated'] == 0
        assert metrics[f'views/{view}/IoU-rotated'] == 1
        assert metrics[f'views/{view}/PA-MPJPE'] == 0
        assert metrics[f'views/{view}/IoU'] < 0.9
    # A chord of the turn, at each joint's distance from the axis.
    meshes = torch.stack([sample.pred.vertices for sample in samples])
    joints = exact.regress_joints(meshes, 'h36m14')
    arm = joints[..., [0, 2]].norm(dim=-1).mean().item()
    for view, degrees in zip(NAMES, DEGREES):
        chord = 2 * abs(math.sin(math.radians(degrees) / 2))
        assert metrics[f'views/{view}/MPJPE'] == pytest.approx(
            1000 * chord * arm, abs=0.01
        )
    assert not [key for key in metrics if 'decoded' in key]


def test_rotating_keeps_the_errors_of_the_photograph(exact):
    samples = [make_sample(exact, seed, pose_error=0.2) for seed in range(3)]
    metrics = evaluate(samples)
    seen = evaluate(samples, metric='MeshMetric')
    for view in (*NAMES, 'mean'):
        for name in ('MPJPE', 'PA-MPJPE'):
            assert metrics[f'views/{view}/{name}-rotated'] == pytest.approx(
                seen[f'synthetic_h36m14/{name}'], abs=0.0101
            )


def test_the_truth_is_what_the_objective_turns_and_draws(exact):
    """Meshes and masks of training, in its precision."""
    objective = MeshObjective()
    sample = make_sample(exact, pose_error=0.3)
    turned = [objective.targets([sample], yaw=angle) for angle in YAW.tolist()]
    masks = [
        draw_silhouettes(each, objective.body_model.faces, (SIDE, SIDE))[0]
        for each in turned
    ]
    sample.pred.views_vertices = torch.cat([t['vertices'] for t in turned])
    sample.pred.views_mask = torch.cat(masks)
    metrics = evaluate([sample])
    for view in NAMES:
        assert metrics[f'views/{view}/MPJPE'] <= 0.01
        # Rounding may move an edge over a pixel's centre.
        assert metrics[f'views/{view}/IoU'] > 0.98
        assert metrics[f'views/{view}/IoU-decoded'] > 0.98


def test_a_mask_of_everything_has_the_share_of_the_person(exact):
    sample = make_sample(exact)
    sample.pred.views_mask = torch.ones(4, 1, 6, 6)
    metrics = evaluate([sample])
    shares = silhouettes(exact, sample).mean((1, 2, 3)).tolist()
    for view, share in zip(NAMES, shares):
        assert 0.02 < share < 0.6
        assert metrics[f'views/{view}/IoU-decoded'] == round(share, 4)
    assert metrics['views/mean/IoU-decoded'] == pytest.approx(
        sum(shares) / 4, abs=1e-4
    )


def make_crowd(exact):
    """With all labels, without a mesh, without a camera, without a root."""
    crowd = [make_sample(exact, seed, pose_error=0.2) for seed in range(7)]
    for seed, sample in enumerate(crowd):
        sample.pred.views_vertices += 0.02 * torch.randn(
            sample.pred.views_vertices.shape,
            generator=torch.Generator().manual_seed(seed),
        )
    lost = crowd[1].gt
    lost.smpl_weight = torch.tensor(0.0)
    lost.body_pose = torch.full((69,), math.nan)
    crowd[3].gt.K = torch.zeros(3, 3)
    crowd[4].gt.keypoints3d_weight[HIPS[0]] = 0
    crowd[5].set_metainfo(dict(joint_set='smpl24'))
    return crowd


def test_two_halves_are_the_whole(exact):
    crowd = make_crowd(exact)
    whole = evaluate(crowd)
    assert evaluate(crowd[::-1], batch=3) == whole
    # Round-robin and padded, as samplers of two ranks are.
    halves = [ViewMetric(), ViewMetric()]
    for rank, half in enumerate(halves):
        mine = [crowd[i % 7] for i in range(rank, 8, 2)]
        half.process({}, [sample.to_dict() for sample in mine])
    together = ViewMetric()
    together._size = 7
    joined = together.compute_metrics([half.results for half in halves])
    assert {f'views/{key}': value for key, value in joined.items()} == whole


def test_what_is_not_known_is_not_counted(exact):
    crowd = make_crowd(exact)
    metrics = evaluate(crowd)
    assert metrics['views/num_samples'] == 6
    assert metrics['views/num_skipped'] == 1
    assert metrics['views/num_silhouettes'] == 3
    known = evaluate([crowd[i] for i in (0, 2, 3, 4, 5, 6)])
    drawn = evaluate([crowd[i] for i in (0, 2, 6)])
    for view in (*NAMES, 'mean'):
        for name in ('MPJPE', 'PA-MPJPE-rotated'):
            key = f'views/{view}/{name}'
            assert metrics[key] == known[key]
        for name in ('IoU', 'IoU-rotated'):
            key = f'views/{view}/{name}'
            assert metrics[key] == drawn[key]


def test_nobody_known_has_no_mean(exact):
    metrics = evaluate(make_crowd(exact)[1:2])
    assert math.isnan(metrics['views/090/MPJPE'])
    assert math.isnan(metrics['views/mean/IoU'])
    assert metrics['views/num_samples'] == 0


def test_the_line_names_protocol_and_angles(exact, monkeypatch):
    lines = []
    monkeypatch.setattr(
        'mmd2a.evaluation.view_metric.print_log',
        lambda line, logger: lines.append(line),
    )
    yaw = torch.tensor([22.5, 360.0]).double().deg2rad()
    evaluate([make_sample(exact, yaw=yaw)])
    [line] = lines
    for part in (
        'views of synthetic_h36m14',
        '022.5: MPJPE 0.00 mm',
        '000: MPJPE',
        'mean: ',
        'IoU-rotated 1.0000',
        'root mid_hip',
        '1 samples',
    ):
        assert part in line


def broken(sample, **fields):
    sample = copy.deepcopy(sample)
    for name, value in fields.items():
        if value is None:
            delattr(sample.pred, name)
        else:
            setattr(sample.pred, name, value)
    return sample


def test_bad_predictions_are_told_in_one_line(exact):
    sample = make_sample(exact)
    meshes = sample.pred.views_vertices
    spoilt = meshes.clone()
    spoilt[1, 5] = math.nan
    for fields, why in (
        (dict(views_vertices=None), r'no views_vertices.*model.views='),
        (dict(views_yaw=None), 'no views_yaw'),
        (dict(views_vertices=spoilt), 'views_vertices.*is not finite'),
        (dict(views_yaw=YAW / 0), 'views_yaw.*is not finite'),
        (dict(vertices=sample.pred.vertices / 0), 'pred.vertices.*not finite'),
        (dict(views_mask=torch.full((4, 1, 6, 6), math.nan)), 'views_mask'),
        (dict(views_vertices=meshes[:3]), 'one for each of views_yaw'),
        (dict(views_vertices=meshes[:, :99]), 'the same body_model'),
        (dict(views_mask=torch.ones(4, 6, 6)), 'views_mask.*has shape'),
    ):
        with pytest.raises(ValueError, match=why) as error:
            evaluate([broken(sample, **fields)])
        assert "(0, '0.jpg')" in str(error.value)
        assert '\n' not in str(error.value)
    other = make_sample(exact, 1, yaw=YAW[:2])
    with pytest.raises(ValueError, match='same angles for all'):
        evaluate([sample, other])


@pytest.mark.parametrize(
    'change', [dict(target='keypoints3d'), dict(gender='gendered')]
)
def test_protocols_that_turn_no_mesh_are_refused(change):
    with pytest.raises(ValueError, match='one neutral body'):
        ViewMetric(protocol=Protocol('p', 'h36m14', 'mid_hip', **change))
    with pytest.raises(KeyError, match='known protocols'):
        ViewMetric(protocol='h36m')
    assert MeshMetric().protocols[0] == ViewMetric().protocol


def test_a_protocol_of_some_people_counts_them_alone(exact):
    samples = [make_sample(exact, seed, pose_error=0.3) for seed in range(2)]
    for sample, hidden in zip(samples, (10, 0)):
        visibility = [1] * hidden + [2] * (14 - hidden)
        sample.set_metainfo(dict(keypoints2d_visibility=visibility))
    metrics = evaluate(samples, protocol='synthetic_h36m14_occluded')
    alone = evaluate(samples[:1])
    assert metrics['views/num_samples'] == 1
    assert (
        metrics['views/mean/MPJPE-rotated']
        == (alone['views/mean/MPJPE-rotated'])
    )

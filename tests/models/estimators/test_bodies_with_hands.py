"""Models of SMPL-H and SMPL-X learn the body of these, without hands."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement

from mmd2a.body_models import (
    BodyFitter,
    BodyMismatchError,
    SMPLBodyModel,
    coarsen_mesh,
    share_body,
)
from mmd2a.evaluation import MeshMetric
from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample

CONFIG = Path(__file__).resolve().parents[3] / 'configs' / 'd2a_hmr_hrnet.py'
SIZE = 64


@pytest.fixture(params=['smplh', 'smplx'])
def body_cfg(request, official, tmp_path):
    """A body of that kind, with a regressor of the 14 joints beside it."""
    arrays = official(request.param, 400, 20)
    arrays['v_template'][:, 1] *= 1.8
    arrays = {k: v for k, v in arrays.items() if isinstance(v, np.ndarray)}
    np.savez(tmp_path / 'body.npz', **arrays)
    rows = np.random.default_rng(5).random((17, 400)) ** 9
    np.save(tmp_path / 'h36m.npy', rows / rows.sum(1, keepdims=True))
    return dict(
        type='mmd2a.SMPLBodyModel',
        path=str(tmp_path / 'body.npz'),
        joint_regressors=dict(h36m14=str(tmp_path / 'h36m.npy')),
    )


def sample_of(body, seed, has_pose=True, pose_joints=21):
    generator = torch.Generator().manual_seed(seed)
    pose = 0.3 * torch.randn(3 + 63, generator=generator)
    betas = torch.randn(10, generator=generator)
    mesh = body(pose[None, :3], pose[None, 3:], betas[None]).vertices
    joints = body.regress_joints(mesh, 'h36m14')[0]
    stored = torch.zeros(3 * pose_joints)
    if has_pose:
        stored[:63] = pose[3:]
    sample = BodyDataSample(metainfo=dict(sample_idx=seed))
    sample.gt = BaseDataElement(
        global_orient=pose[:3],
        body_pose=stored,
        betas=betas,
        transl=torch.tensor([0.0, 0.0, 4.0]),
        smpl_weight=torch.tensor(float(has_pose)),
        keypoints3d=joints + torch.tensor([0.0, 0.0, 4.0]),
        keypoints3d_weight=torch.ones(14),
        keypoints2d=joints[:, :2],
        keypoints2d_weight=torch.ones(14),
        mask=torch.ones(1, SIZE, SIZE),
        mask_weight=torch.tensor(1.0),
        K=torch.eye(3),
    )
    return sample


@pytest.mark.parametrize('head', ['CoarseMeshHead', 'SMPLHead'])
def test_a_model_of_such_a_body_learns(body_cfg, head):
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    cfg.body_model = body_cfg
    cfg.model.head = dict(type=f'mmd2a.{head}', num_coarse_vertices=50)
    if head == 'SMPLHead':
        cfg.model.objective.loss_pose = dict(type='mmd2a.JointLoss')
        cfg.model.objective.loss_betas = dict(type='mmd2a.JointLoss')
    share_body(cfg)
    init_default_scope(cfg.default_scope)
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(cfg.model))
    body = model.objective.body_model
    # A picture with joints only may come with the zeros of SMPL's length.
    samples = [sample_of(body, 0), sample_of(body, 1, False, 23)]
    inputs = dict(
        img=torch.randn(2, 3, SIZE, SIZE),
        depth=torch.ones(2, 2, SIZE, SIZE),
        has_depth=torch.ones(2),
    )
    optimizer = torch.optim.AdamW(model.parameters(), 2e-4)
    losses = []
    for _ in range(6):
        torch.manual_seed(0)
        terms = model(inputs, samples, mode='loss')
        loss = sum(v for k, v in terms.items() if k.startswith('loss'))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(p.grad is not None for p in model.parameters())
    assert losses[-1] < losses[0]
    model.eval()
    with torch.no_grad():
        predicted = model(inputs, samples, mode='predict')
    assert predicted[0].pred.vertices.shape == (400, 3)
    if head == 'SMPLHead':
        assert predicted[0].pred.body_pose.shape == (63,)


def test_its_meshes_are_measured_against_its_own_labels(body_cfg):
    body = SMPLBodyModel(**{k: v for k, v in body_cfg.items() if k != 'type'})
    metrics = (
        MeshMetric(body_cfg),
        MeshMetric(
            body_cfg, ('3dpw_14',), dict(male=body_cfg, female=body_cfg)
        ),
    )
    samples = []
    for seed in range(3):
        sample = dict(sample_of(body, seed).to_dict(), gender='female')
        gt = sample['gt']
        mesh = body(
            gt['global_orient'][None], gt['body_pose'][None], gt['betas'][None]
        ).vertices[0]
        sample['pred'] = dict(vertices=mesh + torch.tensor([0, 0, 1.0]))
        samples.append(sample)
    for metric in metrics:
        metric.process(None, samples)
        result = metric.evaluate(3)
        name = metric.protocols[0].name
        assert result[f'{name}/PVE'] < 0.01 > result[f'{name}/MPJPE']


def test_a_pose_of_another_body_is_named(body_cfg):
    objective = MODELS.build(
        dict(type='mmd2a.MeshObjective', body_model=body_cfg)
    )
    sample = sample_of(objective.body_model, 0, pose_joints=23)
    with pytest.raises(ValueError, match='23 joints, the body has 21'):
        objective.targets([sample])
    metric = MeshMetric(body_cfg)
    told = dict(sample.to_dict(), pred=dict(vertices=torch.zeros(400, 3)))
    with pytest.raises(ValueError, match='23 joints, the body of the metric'):
        metric.process(None, [told])


def test_its_mesh_is_made_coarse_and_fine_again(body_cfg):
    body = MODELS.build(body_cfg)
    coarse = coarsen_mesh(body.v_template.numpy(), body.faces.numpy(), 60)
    assert coarse.down.shape == (60, 400) and coarse.up.shape == (400, 60)
    np.testing.assert_allclose(coarse.up.sum(1), 1, atol=1e-5)


def test_what_such_a_body_cannot_do_is_said(body_cfg):
    body = MODELS.build(body_cfg)
    with pytest.raises(ValueError, match=f'is {body.family.name}, only SMPL'):
        BodyFitter(body)
    cfg = Config(
        dict(
            model=dict(type='mmd2a.MeshObjective', body_model=body_cfg),
            val_evaluator=dict(type='mmd2a.MeshMetric'),
        )
    )
    with pytest.raises(BodyMismatchError):
        share_body(cfg)

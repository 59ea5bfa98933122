"""An HMR of MMHuman3D with parts of this package, in MMHuman3D's format.

Over 350 lines: one training is looked at from many sides.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmhuman3d_stand_ins import make_stand_ins

from mmd2a.engine.trained_parts import UntrainedPartsError
from mmd2a.interop.mmhuman3d import translate_config
from mmd2a.registry import MODELS

pytest.importorskip('smplx')
pytest.importorskip('mmhuman3d')

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / 'configs/mix/mmhuman3d_hmr_d2a.py'
PLAIN = ROOT / 'configs/mix/mmhuman3d_hmr.py'
WIDTH = 32
SMALL = {
    'model.backbone.backbone.base_channels': 8,
    'model.backbone.backbone.stem_channels': 8,
    'model.neck.in_channels': 64,
    'model.neck.embed_dims': WIDTH,
    'model.neck.num_heads': 2,
    'model.neck.depth': 1,
    'model.head.feat_dim': WIDTH,
    'model.flow_head.in_channels': WIDTH,
    'model.silhouette_decoder.in_channels': WIDTH,
    'model.silhouette_decoder.skip_channels': 64,
    'data.samples_per_gpu': 4,
    'data.workers_per_gpu': 0,
}


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A folder with ``data`` in it, as MMHuman3D's configs want it."""
    folder = tmp_path_factory.mktemp('mmhuman3d')
    make_stand_ins(folder / 'data', 8, 160, num_workers=1)
    return folder


@pytest.fixture
def here(folder, monkeypatch):
    monkeypatch.chdir(folder)
    return folder


def read_config(path=CONFIG, options=SMALL):
    cfg = Config.fromfile(path)
    cfg.merge_from_dict(options)
    return cfg


def build_dataset(settings, **defaults):
    from mmhuman3d.data.datasets.builder import build_dataset

    return build_dataset(settings, defaults)


def build_model(**changes):
    torch.manual_seed(0)
    cfg = read_config()
    cfg.model.update(changes)
    return MODELS.build(
        dict(type='mmd2a.MMHuman3DEstimator', architecture=cfg.model)
    ).train()


@pytest.fixture
def batch(here):
    """Three people through the training pipeline."""
    from mmd2a.interop.mmhuman3d.running.collate import mmhuman3d_collate

    np.random.seed(0)  # noqa: NPY002  what MMHuman3D draws from
    people = build_dataset(read_config().data.train)
    return mmhuman3d_collate([people[i] for i in range(3)])


def run(folder, tool, *arguments):
    """A tool as a user runs it."""
    start = ['bash'] if tool.endswith('.sh') else [sys.executable]
    done = subprocess.run(
        [*start, str(ROOT / 'tools' / tool), *map(str, arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        env={
            **os.environ,
            'PYTHON': sys.executable,
            'OMP_NUM_THREADS': '1',
            'MKL_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
        },
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-6000:]
    return done.stdout + done.stderr


def options(settings):
    return ['--cfg-options', *(f'{k}={v}' for k, v in settings.items())]


def optimizers(model, **parts):
    """The optimisers that a config in MMHuman3D's format asks for."""
    cfg = read_config()
    adam = dict(type='Adam', lr=1e-3)
    cfg.optimizer = {
        name: adam if part else None for name, part in parts.items()
    }
    return build_optim_wrapper(model, translate_config(cfg).optim_wrapper)


def test_parts_that_no_optimiser_reaches_are_refused_by_name(here):
    model = build_model()
    with pytest.raises(UntrainedPartsError) as error:
        optimizers(model, backbone=True, head=True)
    for name in ('neck', 'flow_head', 'silhouette_decoder'):
        assert f'{name} (' in str(error.value)
    assert 'optimizer.neck=dict(type=...' in str(error.value)
    with pytest.raises(UntrainedPartsError, match=r'reaches flow_head \('):
        optimizers(
            model, backbone=True, head=True, neck=True, silhouette_decoder=True
        )


def test_a_part_is_left_as_it_is_where_the_config_says_so(batch):
    model = build_model()
    wrappers = optimizers(
        model,
        backbone=True,
        head=True,
        neck=True,
        flow_head=True,
        silhouette_decoder=False,
        disc=False,  # there is none
    )
    before = {name: value.clone() for name, value in model.named_parameters()}
    model.train_step(batch, wrappers)
    changed = {
        name.partition('.')[0]
        for name, value in model.named_parameters()
        if not value.equal(before[name])
    }
    assert changed == {'backbone', 'head', 'neck', 'flow_head'}


# ---- the card's first sentence -------------------------------------------
def test_it_trains_and_evaluates_with_the_ecosystem_s_tools(folder):
    run(
        folder,
        'train.py',
        CONFIG,
        '--work-dir',
        'work',
        *options(
            {
                **SMALL,
                'runner.max_epochs': 10,
                'evaluation.interval': 10,
                'checkpoint_config.interval': 10,
                'log_config.interval': 1,
                'optimizer.lr': 1e-3,
                'randomness.seed': 0,
            }
        ),
    )
    lines = [
        json.loads(line)
        for file in (folder / 'work').rglob('scalars.json')
        for line in file.read_text().splitlines()
    ]
    steps = [line for line in lines if 'rle_loss' in line]
    assert len(steps) == 20
    for name in ('loss', 'rle_loss', 'silhouette_loss'):
        first, last = (
            np.mean([step[name] for step in part])
            for part in (steps[:5], steps[-5:])
        )
        assert last < first, name
    trained = next(line['PA-MPJPE'] for line in lines if 'PA-MPJPE' in line)

    said = run(
        folder,
        'dist_test.sh',
        CONFIG,
        'work/epoch_10.pth',
        2,
        '--work-dir',
        'test',
        *options(SMALL),
    )
    tested = [
        float(value) for value in re.findall(r'PA-MPJPE: ([\d.]+)', said)
    ]
    assert tested == pytest.approx([trained], abs=1e-2)


# ---- the estimator -------------------------------------------------------
def test_every_parameter_learns(batch):
    model = build_model()
    sum(value for value in model(mode='loss', **batch).values()).backward()
    body = ('body_model_train', 'body_model_test')
    assert [
        name
        for name, parameter in model.named_parameters()
        if parameter.grad is None and not name.startswith(body)
    ] == []


def test_without_additions_it_is_mmhuman3d_s_estimator(batch):
    bare = dict(flow_head=None, silhouette_decoder=None, loss_silhouette=None)
    losses = []
    for changes in (bare, dict(type='ImageBodyModelEstimator')):
        model = build_model(**changes) if changes is bare else None
        if model is None:
            cfg = read_config()
            cfg.model.update(changes)
            for key in bare:
                cfg.model.pop(key)
            torch.manual_seed(0)
            model = MODELS.build(
                dict(type='mmd2a.MMHuman3DEstimator', architecture=cfg.model)
            ).train()
        torch.manual_seed(1)
        losses.append(model(mode='loss', **batch))
    ours, theirs = losses
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_additions_leave_the_other_losses_alone(batch):
    """Dropout apart, which draws other numbers with them."""
    settings = dict(
        neck=dict(read_config().model.neck, dropout=0.0, masking=None)
    )
    losses = []
    for changes in ({}, dict(flow_head=None, silhouette_decoder=None)):
        model = build_model(**settings, **changes)
        model.head.drop1.p = model.head.drop2.p = 0.0
        losses.append(model(mode='loss', **batch))
    ours, bare = losses
    assert ours.keys() - bare.keys() == {'rle_loss', 'silhouette_loss'}
    for name in bare:
        torch.testing.assert_close(ours[name], bare[name])


def test_people_without_3d_labels_leave_the_distribution_alone(batch):
    model = build_model(silhouette_decoder=None)
    batch['keypoints3d'][..., 3] = 0
    batch['keypoints3d'][..., :3] = float('nan')
    model.loss_keypoints3d = None
    loss = model.architecture.compute_losses(
        model.head(model.neck(model.backbone(batch['img']))), batch
    )['rle_loss']
    loss.backward()
    assert loss == 0
    assert all(
        (parameter.grad == 0).all()
        for parameter in model.flow_head.parameters()
    )


def test_a_batch_without_masks_names_the_remedy(batch):
    del batch['mask']
    with pytest.raises(KeyError, match='WarpMaskForMMHuman3D'):
        build_model()(mode='loss', **batch)


def test_depth_changes_the_prediction(batch):
    model = build_model().eval()
    with torch.no_grad():
        before = model(mode='tensor', **batch)['smpl_pose']
        batch['img'][:, 3] += 1
        after = model(mode='tensor', **batch)['smpl_pose']
    assert not np.array_equal(before, after)


# ---- the pipeline --------------------------------------------------------
def test_joints_depth_and_mask_move_with_the_image(here):
    people = build_dataset(read_config().data.train)
    np.random.seed(1)  # noqa: NPY002
    on_person = []
    for i in range(8):
        sample = people[i]
        image, mask = sample['img'], sample['mask']
        assert image.shape == (5, 224, 224) and mask.shape == (1, 224, 224)
        known = sample['keypoints2d'][:24]
        x, y = known[known[:, 2] > 0][:, :2].round().long().T
        inside = (x >= 0) & (x < 224) & (y >= 0) & (y < 224)
        assert inside.float().mean() > 0.8
        # Joints are inside the body, so around them the person is seen,
        # unless something is before him.
        grown = torch.nn.functional.max_pool2d(mask, 9, 1, 4)[0]
        on_person.append(grown[y[inside], x[inside]].mean())
        if image[4].any():
            # Who is seen is nearer than what is behind; normalised depth
            # may be inverse, hence a difference of either sign.
            seen = (mask[0] > 0) & (image[4] > 0)
            behind = (mask[0] == 0) & (image[4] > 0)
            difference = (
                image[3][seen].median() - image[3][behind].median()
            ).abs()
            assert difference > 0.2
    assert np.mean(on_person) > 0.75


def test_pose_and_joints_of_a_sample_agree_after_flips_and_turns(batch):
    body = build_model(
        flow_head=None, silhouette_decoder=None
    ).body_model_train
    with torch.no_grad():
        posed = body(
            betas=batch['smpl_betas'].float(),
            body_pose=batch['smpl_body_pose'].float().flatten(1),
            global_orient=batch['smpl_global_orient'].float(),
        )
    labels = batch['keypoints3d'][..., :3]
    error = (posed['joints'] - posed['joints'][:, :1]) - (
        labels - labels[:, :1]
    )
    assert error.norm(dim=-1).max() < 2e-2  # the mesh is nearly symmetric
    assert error.norm(dim=-1).mean() < 2e-3


def test_a_test_sample_is_the_same_every_time(here):
    people = build_dataset(read_config().data.test, test_mode=True)
    assert torch.equal(people[1]['img'], people[1]['img'])


def test_a_missing_depth_file_is_named(here):
    from mmd2a.datasets import BadSampleError

    settings = read_config().data.test
    settings.pipeline[1].depth_suffix = '_zoe.npy'
    with pytest.raises(BadSampleError, match='_zoe.npy'):
        build_dataset(settings, test_mode=True)[0]


def test_the_plain_config_differs_in_our_parts_only():
    ours, plain = read_config(options={}), read_config(PLAIN, {})
    assert plain.model.type == 'ImageBodyModelEstimator'
    assert 'mmd2a' not in PLAIN.read_text().replace('tools/', '')
    for key in ('body_model_train', 'body_model_test', 'loss_keypoints3d'):
        assert ours.model[key] == plain.model[key]

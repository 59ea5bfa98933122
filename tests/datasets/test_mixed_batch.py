"""People of three joint sets and any labels train in one batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import ConcatDataset, pseudo_collate
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

from mmd2a.apis.result_files import write_human_data
from mmd2a.body_models import joint_names, map_joints
from mmd2a.datasets import JOINT_SET_KEYS
from mmd2a.registry import DATASETS, MODELS

ROOT = Path(__file__).resolve().parents[2]
UNION = 'h36m14+coco17+smpl24'
SIZE = 64
SQUARE = [[20, 10, 44, 10, 44, 56, 20, 56]]
BOX = [18.0, 8, 46, 58]
# What each kind of label is compared by, and which parts it does not reach.
TERMS = dict(
    smpl_weight={'loss_vertices', 'loss_rle'},
    keypoints3d_weight={'loss_keypoints3d', 'loss_rle'},
    keypoints2d_weight={'loss_keypoints2d', 'loss_heatmap', 'loss_localized'},
    mask_weight={'loss_silhouette'},
)
UNREACHED = dict(
    smpl_weight={'silhouette_decoder'},
    keypoints3d_weight={'silhouette_decoder'},
    keypoints2d_weight={'silhouette_decoder', 'flow_head'},
    mask_weight={'head', 'flow_head', 'refiner', 'localizer'},
)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """Three data sets: HumanData, COCO, and a json with depth."""
    pytest.importorskip('pycocotools')
    path = tmp_path_factory.mktemp('mixed')
    rng = np.random.default_rng(0)
    cv2.imwrite(
        str(path / 'a.jpg'), rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    )
    np.save(path / 'a.npy', rng.uniform(2, 4, (SIZE, SIZE)).astype('f4'))
    points = rng.uniform(20, 44, (2, 24, 3))
    write_human_data(
        path / 'people.npz',
        ['a.jpg', 'a.jpg'],
        bboxes=[BOX, BOX],
        smpl=dict(
            global_orient=rng.normal(size=(2, 3)),
            body_pose=0.2 * rng.normal(size=(2, 69)),
            betas=rng.normal(size=(2, 10)),
            transl=[[0, 0, 3], [0, 0, 3.5]],
        ),
        keypoints2d=np.concatenate([points[..., :2], np.ones((2, 24, 1))], 2),
        keypoints3d=np.concatenate(
            [rng.normal(size=(2, 24, 3)) * 0.3, np.ones((2, 24, 1))], 2
        ),
        joint_set='smpl24',
    )
    flat = np.column_stack([rng.uniform(20, 44, (17, 2)), np.full(17, 2)])
    person = dict(image_id=1, category_id=1, bbox=[18, 8, 28, 50])
    coco = dict(
        images=[dict(id=1, file_name='a.jpg', height=SIZE, width=SIZE)],
        annotations=[
            dict(person, id=1, keypoints=flat.reshape(-1).tolist()),
            dict(person, id=2, segmentation=SQUARE),
        ],
    )
    (path / 'coco.json').write_text(json.dumps(coco))
    entry = dict(
        img_path='a.jpg',
        depth_path='a.npy',
        bbox=BOX,
        joint_set='h36m14',
        keypoints3d=(0.3 * rng.normal(size=(14, 3)) + [0, 0, 3]).tolist(),
    )
    content = dict(metainfo={}, data_list=[entry])
    (path / 'depth.json').write_text(json.dumps(content))
    return path


@pytest.fixture(scope='module')
def people(folder):
    pipeline = [
        dict(type='mmd2a.LoadFrame'),
        dict(type='mmd2a.PersonCrop', size=SIZE, rotation=30, flip_prob=0.5),
        dict(type='mmd2a.PhotometricJitter'),
        dict(type='mmd2a.PackBodySample', joint_set=UNION),
    ]
    settings = dict(data_root=str(folder), pipeline=pipeline)
    parts = [
        dict(
            type='mmd2a.HumanDataDataset',
            ann_file='people.npz',
            joint_set='smpl24',
            store_root=str(folder / 'stores'),
        ),
        dict(type='mmd2a.CocoBodyDataset', ann_file='coco.json'),
        dict(type='mmd2a.BodyDataset', ann_file='depth.json'),
    ]
    return ConcatDataset(
        [DATASETS.build({**part, **settings}) for part in parts],
        ignore_keys=JOINT_SET_KEYS,
    )


@pytest.fixture(scope='module')
def model_cfg():
    pytest.importorskip('mmpose')
    path = ROOT / 'configs' / 'd2a_hmr' / 'd2a_hmr_mobilenet-v2.py'
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    cfg.model.backbone.init_cfg = None
    cfg.model.encoder.grid_size = (4, 4)
    cfg.model.objective.joint_set = UNION
    cfg.model.data_preprocessor.depth_dropout = 0.0
    return cfg.model


@pytest.fixture(scope='module')
def model(model_cfg):
    torch.manual_seed(0)
    return MODELS.build(model_cfg).train()


def load(people, workers=0):
    np.random.seed(0)  # noqa: NPY002
    loader = DataLoader(
        people, len(people), num_workers=workers, collate_fn=pseudo_collate
    )
    return next(iter(loader))


@pytest.mark.parametrize('workers', [0, 2])
def test_everybody_shares_a_batch_with_the_labels_that_they_have(
    people, workers
):
    samples = load(people, workers)['data_samples']
    known = {
        part: np.array(map_joints(part, UNION)) >= 0
        for part in ('smpl24', 'coco17', 'h36m14')
    }
    nothing = np.zeros(len(joint_names(UNION)), bool)
    expected = [
        # 2-D, 3-D, body, mask
        (known['smpl24'], known['smpl24'], 1, 0),
        (known['smpl24'], known['smpl24'], 1, 0),
        (known['coco17'], nothing, 0, 0),
        (nothing, nothing, 0, 1),
        (nothing, known['h36m14'], 0, 0),
    ]
    assert len(samples) == len(expected)
    for sample, (flat, deep, body, mask) in zip(samples, expected):
        gt = sample.gt
        np.testing.assert_array_equal(gt.keypoints2d_weight > 0, flat)
        np.testing.assert_array_equal(gt.keypoints3d_weight > 0, deep)
        assert (gt.smpl_weight, gt.mask_weight) == (body, mask)
        assert sample.joint_set == UNION


def test_the_mixed_batch_trains(people, model):
    batch = model.data_preprocessor(load(people), training=True)
    assert batch['inputs']['has_depth'].tolist() == [0, 0, 0, 0, 1]
    optimizer = torch.optim.SGD(model.parameters(), 1e-4)
    torch.manual_seed(0)
    losses = model(**batch, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    assert torch.isfinite(total)
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    for name in {term for terms in TERMS.values() for term in terms}:
        assert losses[name] != 0, name
    optimizer.step()
    model.zero_grad()


@pytest.mark.parametrize('kind', TERMS)
def test_a_kind_of_label_alone_moves_only_what_it_should(people, model, kind):
    batch = model.data_preprocessor(load(people), training=True)
    for sample in batch['data_samples']:
        for other in TERMS.keys() - {kind}:
            weight = sample.gt.get(other)
            sample.gt.set_field(torch.zeros_like(weight), other)
    model.zero_grad()
    losses = model(**batch, mode='loss')
    total, _ = model.parse_losses(losses)
    total.backward()
    moved = {name.removesuffix('_first') for name, v in losses.items() if v}
    assert moved == TERMS[kind]
    reached = {
        name.split('.')[0]
        for name, parameter in model.named_parameters()
        if parameter.grad is not None and parameter.grad.abs().sum() > 0
    }
    assert not reached & UNREACHED[kind]
    assert {'backbone', 'patch_embedding', 'encoder'} <= reached
    model.zero_grad()


@pytest.mark.parametrize('key', ['keypoints2d', 'keypoints3d'])
def test_joints_that_a_set_does_not_have_are_not_looked_at(people, model, key):
    def losses(garbage):
        batch = model.data_preprocessor(load(people), training=True)
        for sample in batch['data_samples']:
            unknown = sample.gt.get(f'{key}_weight') == 0
            sample.gt.get(key)[unknown] = garbage
        torch.manual_seed(0)
        with torch.no_grad():
            return model(**batch, mode='loss')

    first, second = losses(0.0), losses(0.7)
    for name in first:
        assert torch.equal(first[name], second[name]), name


def test_somebody_without_depth_does_not_move_the_depth_branch(people, model):
    samples = [people[i] for i in range(4)]  # None of these has depth.
    batch = model.data_preprocessor(pseudo_collate(samples), training=True)
    model.zero_grad()
    total, _ = model.parse_losses(model(**batch, mode='loss'))
    total.backward()
    moved = [
        parameter.grad.abs().sum()
        for name, parameter in model.named_parameters()
        if name.startswith('depth_branch.')
    ]
    assert moved and not any(moved)
    model.zero_grad()


CONFIG = """
_base_ = '{root}/configs/d2a_hmr/d2a_hmr_mobilenet-v2.py'
from mmd2a.datasets import JOINT_SET_KEYS
union = '{union}'
pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(type='mmd2a.PersonCrop', size={size}, flip_prob=0.5),
    dict(type='mmd2a.PackBodySample', joint_set=union),
]
here = dict(data_root='{folder}', pipeline=pipeline)
model = dict(
    backbone=dict(init_cfg=None),
    encoder=dict(grid_size=(4, 4)),
    objective=dict(joint_set=union),
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        _delete_=True,
        type='RepeatDataset',
        times=2,
        dataset=dict(
            type='ConcatDataset',
            ignore_keys=JOINT_SET_KEYS,
            datasets=[
                dict(type='mmd2a.HumanDataDataset', ann_file='people.npz',
                     joint_set='smpl24', store_root='{folder}/stores', **here),
                dict(type='mmd2a.CocoBodyDataset', ann_file='coco.json',
                     **here),
                dict(type='mmd2a.BodyDataset', ann_file='depth.json', **here),
            ],
        ),
    ),
)
train_cfg = dict(max_epochs=1, val_interval=100)
val_dataloader = val_cfg = val_evaluator = None
test_dataloader = test_cfg = test_evaluator = None
custom_hooks = []
"""


@pytest.mark.slow
def test_the_mixed_batch_trains_on_two_ranks(folder, tmp_path):
    config = tmp_path / 'mixed.py'
    config.write_text(
        CONFIG.format(root=ROOT, union=UNION, size=SIZE, folder=folder)
    )
    done = subprocess.run(
        # By number: a machine need not know its own name.
        [
            sys.executable,
            '-m',
            'torch.distributed.run',
            '--rdzv-backend',
            'c10d',
            '--rdzv-endpoint',
            '127.0.0.1:0',
            '--local-addr',
            '127.0.0.1',
            '--nproc-per-node',
            '2',
            str(ROOT / 'tools' / 'train.py'),
            str(config),
            '--launcher',
            'pytorch',
            '--work-dir',
            str(tmp_path / 'run'),
        ],
        env={
            **os.environ,
            'OMP_NUM_THREADS': '1',
            'CUDA_VISIBLE_DEVICES': '',
            'PYTHONPATH': str(ROOT),
        },
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    weights = torch.load(tmp_path / 'run' / 'epoch_1.pth', weights_only=True)
    assert all(
        torch.isfinite(value).all() for value in weights['state_dict'].values()
    )

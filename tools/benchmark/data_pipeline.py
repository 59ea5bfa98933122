"""Time each stage of the data pipeline, in ms per sample on one core.

Example:
    python tools/benchmark/data_pipeline.py --image-size 160 --crop-size 96
"""

import argparse
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from mmd2a.body_models import joint_names
from mmd2a.datasets.transforms import (
    DegradeDepth,
    LoadFrame,
    PackBodySample,
    PersonCrop,
    PhotometricJitter,
)
from mmd2a.models.data_preprocessors import BodyDataPreprocessor


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time each stage of the data pipeline.'
    )
    parser.add_argument('--image-size', type=int, default=160)
    parser.add_argument('--crop-size', type=int, default=96)
    parser.add_argument('--num-samples', type=int, default=64)
    parser.add_argument('--repeats', type=int, default=5)
    return parser.parse_args()


def write_samples(folder: Path, num_samples: int, size: int) -> list[dict]:
    """Write files with about the detail of a photo; return their entries."""
    rng = np.random.default_rng(0)
    joints = len(joint_names('h36m14'))
    samples = []
    for index in range(num_samples):
        coarse = rng.integers(0, 256, (size // 6, size // 6, 3), np.uint8)
        image = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC)
        grain = rng.normal(0, 4, image.shape)
        image = np.clip(image + grain, 0, 255).astype(np.uint8)
        depth = 3500 + cv2.resize(
            rng.normal(0, 300, (8, 8)),
            (size, size),
            interpolation=cv2.INTER_CUBIC,
        )
        mask = np.zeros((size, size), np.uint8)
        cv2.ellipse(
            mask,
            (size // 2, size // 2),
            (size // 6, size // 3),
            0,
            0,
            360,
            255,
            -1,
        )
        paths = {
            key: str(folder / f'{index}_{key}.{end}')
            for key, end in (('img', 'jpg'), ('depth', 'png'), ('mask', 'png'))
        }
        cv2.imwrite(paths['img'], image)
        cv2.imwrite(paths['depth'], depth.astype(np.uint16))
        cv2.imwrite(paths['mask'], mask)
        samples.append(
            dict(
                img_path=paths['img'],
                depth_path=paths['depth'],
                mask_path=paths['mask'],
                sample_idx=index,
                joint_set='h36m14',
                bbox=np.array([0.2, 0.1, 0.8, 0.95]) * size,
                K=np.array(
                    [[size, 0, size / 2], [0, size, size / 2], [0, 0, 1]]
                ),
                global_orient=rng.normal(size=3),
                body_pose=rng.normal(size=69),
                betas=rng.normal(size=10),
                transl=rng.normal(size=3),
                smpl_weight=1.0,
                keypoints2d=rng.uniform(0, size, (joints, 2)),
                keypoints2d_weight=np.ones(joints),
                keypoints3d=rng.normal(size=(joints, 3)),
                keypoints3d_weight=np.ones(joints),
            )
        )
    return samples


def main() -> None:
    args = parse_args()
    # As in a worker.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    stages = [
        LoadFrame(),
        PersonCrop(
            args.crop_size,
            scale_jitter=0.15,
            shift_jitter=0.06,
            rotation=20,
            flip_prob=0.5,
        ),
        PhotometricJitter(),
        DegradeDepth(),
        PackBodySample(),
    ]
    # Best of some repeats: what other processes cost is not ours to time.
    best = dict.fromkeys(
        [type(stage).__name__ for stage in stages] + ['BodyDataPreprocessor'],
        float('inf'),
    )
    preprocessor = BodyDataPreprocessor()
    with tempfile.TemporaryDirectory() as folder:
        samples = write_samples(
            Path(folder), args.num_samples, args.image_size
        )
        for _ in range(args.repeats):
            batch = [dict(sample) for sample in samples]
            for stage in stages:
                name = type(stage).__name__
                start = time.perf_counter()
                batch = [stage(sample) for sample in batch]
                best[name] = min(best[name], time.perf_counter() - start)
            start = time.perf_counter()
            preprocessor(pseudo_collate(batch))
            name = 'BodyDataPreprocessor'
            best[name] = min(best[name], time.perf_counter() - start)
    print(
        f'{args.image_size} -> {args.crop_size} px, ms per sample, best of '
        f'{args.repeats} rounds over {args.num_samples} samples'
    )
    for name, seconds in best.items():
        print(f'{name:22s} {1e3 * seconds / args.num_samples:6.3f}')
    print(f'{"total":22s} {1e3 * sum(best.values()) / args.num_samples:6.3f}')


if __name__ == '__main__':
    main()

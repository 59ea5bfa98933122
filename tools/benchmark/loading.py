"""Time loading with depth and mask against loading RGB alone, in one run.

    OMP_NUM_THREADS=1 python tools/benchmark/loading.py --image-size 256 \
        --crop-size 224

Makes synthetic people in a temporary folder and sends them through the
training pipeline both ways by turns, on one core. Prints milliseconds of
processor per sample and stage (median of the rounds), and the ratio of pairs
of rounds.
"""

import argparse
import statistics
import tempfile
import time

import cv2
import torch

from mmd2a.datasets import SyntheticPeople
from mmd2a.datasets.transforms import (
    DegradeDepth,
    LoadFrame,
    PackBodySample,
    PersonCrop,
    PhotometricJitter,
)


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Time loading with depth and mask against RGB alone.',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--crop-size', type=int, default=224)
    parser.add_argument('--num-people', type=int, default=64)
    parser.add_argument('--rounds', type=int, default=9)
    return parser.parse_args()


def time_stages(samples: list[dict], crop_size: int) -> dict[str, float]:
    """Milliseconds per sample of every stage of the training pipeline."""
    stages = [
        LoadFrame(),
        PersonCrop(
            crop_size,
            scale_jitter=0.15,
            shift_jitter=0.06,
            rotation=20,
            flip_prob=0.5,
        ),
        PhotometricJitter(),
        DegradeDepth(),
        PackBodySample(),
    ]
    # Without files the loader would make an empty map, and the crop cut it.
    if 'depth_path' not in samples[0]:
        stages = [s for s in stages if not isinstance(s, DegradeDepth)]
        stages[0] = LoadFrame(with_depth=False, with_mask=False)
    spent = {}
    batch = [dict(sample) for sample in samples]
    for stage in stages:
        start = time.process_time()
        batch = [stage(sample) for sample in batch]
        elapsed = time.process_time() - start
        spent[type(stage).__name__] = 1e3 * elapsed / len(samples)
    return spent


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
        rgb = [
            {
                key: value
                for key, value in sample.items()
                if key not in ('depth_path', 'mask_path')
            }
            for sample in whole
        ]
        rounds = [
            (
                time_stages(rgb, args.crop_size),
                time_stages(whole, args.crop_size),
            )
            for _ in range(args.rounds + 1)
        ][1:]  # the first warms up
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
    totals = [[sum(spent.values()) for spent in pair] for pair in rounds]
    alone, both = (statistics.median(column) for column in zip(*totals))
    ratios = sorted(b / a for a, b in totals)
    print(f'{"total":20s}{alone:8.3f}{both:22.3f}')
    print(
        f'ratio {statistics.median(ratios):.2f} ({ratios[0]:.2f} to '
        f'{ratios[-1]:.2f})'
    )


if __name__ == '__main__':
    main()

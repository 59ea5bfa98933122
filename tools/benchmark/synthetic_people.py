"""Measure how fast synthetic people are made, per core and stage.

    python tools/benchmark/synthetic_people.py --image-size 256

One process, one thread. Times are of the processor (other work on the machine
counts little); writing goes to a temporary folder.
"""

import argparse
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import torch

from mmd2a.datasets.synthetic_people import cache
from mmd2a.people import person


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--num-people', type=int, default=100)
    parser.add_argument('--split', default='train')
    return parser.parse_args()


def main() -> None:
    """Make people, with a stop-watch around every stage."""
    args = parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    stages = {
        'pose': (person, 'sample_pose'),
        'look': (person.Look, 'sample'),
        'body and clothes': (person._World, 'build'),
        'camera': (person, 'sample_camera'),
        'room': (person, 'sample_room'),
        'z-buffer, body': (person, 'rasterize'),
        'z-buffer, scene': (person, 'draw_geometry'),
        'shading': (person, 'shade'),
        'labels': (person, '_labels'),
        'encoding': (cache, 'encode_person'),
        'writing': (cache, 'write_bytes'),
    }
    spent = dict.fromkeys(stages, 0.0)

    def timed(name: str, function):
        def call(*values, **named):
            start = time.process_time()
            result = function(*values, **named)
            spent[name] += time.process_time() - start
            return result

        return call

    with tempfile.TemporaryDirectory() as folder:
        # The first people pay for the pattern bank and the body.
        warm = cache.Cache(folder, args.split, args.image_size, shard_size=4)
        warm.build_shards([0])
        people = cache.Cache(
            folder, args.split, args.image_size, shard_size=args.num_people
        )
        wall, start = time.perf_counter(), time.process_time()
        people.build_shards([0])
        total = time.process_time() - start
        wall = time.perf_counter() - wall
        size = sum(
            f.stat().st_size
            for f in Path(people.folder).rglob('*')
            if f.is_file()
        )
        again = cache.Cache(
            folder,
            args.split,
            args.image_size,
            seed=1,
            shard_size=args.num_people,
        )
        with ExitStack() as stack:
            for stage, (owner, name) in stages.items():
                stack.enter_context(
                    mock.patch.object(
                        owner, name, timed(stage, getattr(owner, name))
                    )
                )
            again.build_shards([0])

    number = args.num_people
    print(
        f'{args.image_size} px, split {args.split}, {number} people: '
        f'{number / total:.1f} images/s/core '
        f'({1e3 * total / number:.1f} ms of processor, '
        f'{1e3 * wall / number:.1f} ms of wall clock each, '
        f'{size / number / 1e3:.0f} kB each)'
    )
    for name, seconds in spent.items():
        print(f'  {name:17s} {1e3 * seconds / number:6.2f} ms')
    rest = np.maximum(total - sum(spent.values()), 0)
    print(f'  {"rest":17s} {1e3 * rest / number:6.2f} ms')


if __name__ == '__main__':
    main()

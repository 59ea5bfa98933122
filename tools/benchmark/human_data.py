"""Time random records of HumanData, here and in MMHuman3D.

    python tools/benchmark/human_data.py --rows 300000

Writes a file of HumanData as MMHuman3D's converter of Human3.6M does (17
joints, compressed, double precision), makes it into a store, and reads random
records from: the store; the npz opened lazily; MMHuman3D's sliced cache. All
of it in one run. Then processes read from the store together, and each tells
how much memory is its own.
"""

import argparse
import functools
import json
import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import mmd2a  # noqa: F401  MMHuman3D is imported through the bridge.
from mmd2a.datasets import HumanDataDataset, open_human_data


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--rows', type=int, default=300_000)
    parser.add_argument('--records', type=int, default=20_000)
    parser.add_argument(
        '--lazy-records',
        type=int,
        default=3,
        help='records of the npz, which take seconds each',
    )
    parser.add_argument('--cache-records', type=int, default=2000)
    parser.add_argument(
        '--no-cache',
        action='store_true',
        help="leave MMHuman3D's sliced cache out, which takes minutes to make",
    )
    parser.add_argument('--workers', type=int, nargs='+', default=[1, 2, 4])
    parser.add_argument('--output', help='JSON file for the numbers')
    return parser.parse_args()


def make_human_data(rows: int):
    """People at random, with all that Human3.6M's have."""
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps
    from mmhuman3d.data.data_structures.human_data import HumanData

    rng = np.random.default_rng(0)
    items = dict(
        image_path=[
            f'S1/images/S1_Directions_1.54138969/S1_Directions_1.54138969_'
            f'{i:06d}.jpg'
            for i in range(rows)
        ],
        config='h36m',
        bbox_xywh=rng.uniform(10, 500, (rows, 5)),
        smpl=dict(
            global_orient=rng.normal(size=(rows, 3)),
            body_pose=rng.normal(size=(rows, 23, 3)),
            betas=rng.normal(size=(rows, 10)),
            transl=rng.normal(size=(rows, 3)),
        ),
        meta=dict(gender=np.array(['m', 'f'] * rows)[:rows]),
    )
    # The mask alone; 190 columns of doubles would be gigabytes.
    _, mask = convert_kps(np.zeros((1, 17, 3)), 'h36m', 'human_data')
    data = HumanData(items)
    dict.update(
        data,
        keypoints2d=rng.uniform(0, 1000, (rows, 17, 3)),
        keypoints3d=rng.normal(size=(rows, 17, 4)),
        keypoints2d_mask=mask,
        keypoints3d_mask=mask,
        keypoints2d_convention='human_data',
        keypoints3d_convention='human_data',
    )
    data.__data_len__ = rows
    data.__keypoints_compressed__ = True
    return data


def rate(read: Callable[[int], object], rows: list[int]) -> float:
    """Records per second."""
    start = time.perf_counter()
    for row in rows:
        read(row)
    return len(rows) / (time.perf_counter() - start)


def read_lazily(path: Path, row: int) -> dict:
    """One record of an npz that stays on the disk, objects and all."""
    from mmd2a.interop.mmhuman3d.importing.restricted_readers import (
        load_arrays,
    )

    with load_arrays(str(path), allow_pickle=True) as archive:
        record = {
            key: archive[key][row]
            for key in ('image_path', 'bbox_xywh', 'keypoints2d')
        }
        record['keypoints3d'] = archive['keypoints3d'][row]
        smpl = archive['smpl'].item()
        record |= {key: smpl[key][row] for key in smpl}
    return record


def own_memory() -> float:
    """Memory of this process that it shares with nobody, MB."""
    fields = dict(
        line.split()[:2]
        for line in Path('/proc/self/status').read_text().splitlines()
        if line.startswith('Rss')
    )
    return int(fields['RssAnon:']) / 1024


def _worker(people: HumanDataDataset, seed: int, queue) -> None:
    before = own_memory()
    rng = np.random.default_rng(seed)
    for row in rng.integers(0, len(people), 50_000).tolist():
        people.get_data_info(row)
    queue.put(own_memory() - before)


def memory_of_workers(people: HumanDataDataset, number: int) -> float:
    """Most memory that one of some readers takes beyond its start, MB."""
    context = multiprocessing.get_context('fork')
    queue = context.Queue()
    workers = [
        context.Process(target=_worker, args=(people, seed, queue))
        for seed in range(number)
    ]
    for worker in workers:
        worker.start()
    grown = [queue.get(timeout=600) for _ in workers]
    for worker in workers:
        worker.join()
    return max(grown)


def main() -> None:
    """Print a table."""
    args = parse_args()
    rng = np.random.default_rng(1)
    numbers: dict[str, float] = dict(rows=args.rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'people.npz')
        data = make_human_data(args.rows)
        data.dump(str(path))
        numbers['npz MB'] = path.stat().st_size / 1e6

        start = time.perf_counter()
        store = open_human_data(path, folder)
        numbers['build rows/s'] = args.rows / (time.perf_counter() - start)
        start = time.perf_counter()
        open_human_data(path, folder)
        numbers['open again ms'] = 1e3 * (time.perf_counter() - start)
        people = HumanDataDataset(
            ann_file=str(path), store_root=folder, joint_set='h36m14'
        )

        picked = functools.partial(rng.integers, 0, args.rows)
        numbers['store records/s'] = rate(
            store.__getitem__, picked(args.records).tolist()
        )
        numbers['HumanDataDataset records/s'] = rate(
            people.get_data_info, picked(args.records).tolist()
        )
        numbers['lazy npz records/s'] = rate(
            functools.partial(read_lazily, path),
            picked(args.lazy_records).tolist(),
        )
        if not args.no_cache:
            numbers |= time_cache(data, Path(folder, 'cache.npz'), args)
        del data
        for count in args.workers:
            numbers[f'MB grown per worker of {count}'] = memory_of_workers(
                people, count
            )
    for name, value in numbers.items():
        print(f'{name:32s} {value:14,.3f}')
    ours = numbers['HumanDataDataset records/s']
    for name in ('lazy npz records/s', 'sliced cache records/s'):
        if name in numbers:
            print(
                f'times faster than {name.removesuffix(" records/s")}: '
                f'{ours / numbers[name]:,.0f}'
            )
    if args.output:
        Path(args.output).write_text(json.dumps(numbers, indent=1))


def time_cache(data, path: Path, args: argparse.Namespace) -> dict:
    """MMHuman3D's cache of slices of ten."""
    from mmhuman3d.data.data_structures.human_data_cache import (
        HumanDataCacheReader,
        HumanDataCacheWriter,
    )

    start = time.perf_counter()
    settings, sliced = data.get_sliced_cache()
    writer = HumanDataCacheWriter(**settings)
    writer.update_sliced_dict(sliced)
    writer.dump(str(path))
    built = args.rows / (time.perf_counter() - start)
    reader = HumanDataCacheReader(str(path))

    def read(row: int) -> dict:
        part, place = reader.get_item(row), row % reader.slice_size
        smpl = part['smpl']
        record = {key: smpl[key][place] for key in smpl}
        for key in ('image_path', 'bbox_xywh', 'keypoints2d', 'keypoints3d'):
            record[key] = part[key][place]
        return record

    rows = np.random.default_rng(2).integers(0, args.rows, args.cache_records)
    return {
        'sliced cache build rows/s': built,
        'sliced cache records/s': rate(read, rows.tolist()),
    }


if __name__ == '__main__':
    os.environ.setdefault('OMP_NUM_THREADS', '1')
    main()

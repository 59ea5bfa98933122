"""Pseudo-labels of any number of pictures, by any number of processes.

Pictures go to shards by a hash of their name, processes take shards, and a
shard is a file that is whole or not there. So it does not matter how many
processes there are, or how often they are killed: the files are the same,
byte by byte, as long as the machines compute the same.

    OUT/job.json                  what is to be done, written first
    OUT/shards/shard-00007.npz    people of a shard, read_people reads them
    OUT/shards/shard-00007.json   its report, written when it is done
    OUT/index.json                of all shards, written when all are done
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from mmd2a.apis.errors import InputError
from mmd2a.apis.label_pictures import PictureList
from mmd2a.apis.labeller import Labeller, Labels
from mmd2a.apis.people_files import people_arrays
from mmd2a.apis.person_mesh import npz_bytes
from mmd2a.files import (
    json_text,
    read_json,
    remove_incomplete_files,
    write_bytes,
    write_json,
)

__all__ = ['LabelJob', 'Progress', 'shard_files']

# People of a shard are held in memory, some 120 kB each.
_PICTURES_PER_SHARD = 256


class Progress(NamedTuple):
    """How far a job is.

    Attributes:
        num_shards: that there are.
        num_done: of these.
        num_pictures: in the shards that are done.
        num_people: in these.
        unusable: those of the pictures that cannot be used, each a dict of
            ``image_path`` and ``reason``.
    """

    num_shards: int
    num_done: int
    num_pictures: int
    num_people: int
    unusable: list[dict[str, str]]


class LabelJob:
    """Label the pictures of a folder or list, shard by shard.

    Args:
        pictures: to label.
        out_dir: folder of the results.
        settings: what else the labels depend on, plain values: told in
            ``job.json``, and to be the same whenever the job goes on.
        num_shards: files that the labels come in. None: one for 256 pictures.

    Raises:
        InputError: the folder holds another job.
        OSError: it cannot be written.
    """

    def __init__(
        self,
        pictures: PictureList,
        out_dir: str | Path,
        settings: Mapping[str, Any],
        num_shards: int | None = None,
    ) -> None:
        if num_shards is None:
            num_shards = math.ceil(len(pictures.names) / _PICTURES_PER_SHARD)
        if num_shards < 1:
            raise InputError(f'num_shards must be 1 or more, got {num_shards}')
        self.root = pictures.root
        self.shards = pictures.shards(num_shards)
        self.folder = Path(out_dir)
        self.job = dict(
            num_pictures=len(pictures.names),
            pictures=pictures.digest,
            num_shards=num_shards,
            **settings,
        )
        self._begin(self.folder / 'job.json')

    def run(
        self,
        labeller: Labeller,
        rank: int = 0,
        world_size: int = 1,
        show_progress: bool = False,
    ) -> Progress:
        """Do the shards of one process that are not done yet.

        Args:
            labeller: finds the people.
            rank: number of this process.
            world_size: processes that there are.
            show_progress: show a bar, of the pictures of this process.

        Returns:
            How far the job is, of all processes. The last one to end finds
            all shards done, and writes the index.

        Raises:
            InputError: a rank that is none of the processes.
            OSError: a file cannot be written.
        """
        if not 0 <= rank < world_size:
            raise InputError(
                f'rank {rank} is none of {world_size} processes: give 0 to '
                f'{world_size - 1}'
            )
        if world_size == 1:  # Nobody else is writing.
            remove_incomplete_files(self.folder)
            remove_incomplete_files(self.folder / 'shards')
        mine = range(rank, len(self.shards), world_size)
        to_do = [number for number in mine if self._report(number) is None]
        total, left = (
            sum(len(self.shards[number]) for number in numbers)
            for numbers in (mine, to_do)
        )
        with tqdm(
            total=total,
            initial=total - left,
            unit='picture',
            disable=not show_progress,
        ) as bar:
            for number in to_do:
                labels = labeller(self.root, self.shards[number], bar.update)
                self._write(number, labels, labeller.faces)
        return self._finish()

    def _begin(self, path: Path) -> None:
        """Say what is to be done, or find that it is what was begun."""
        job = json.loads(json_text(self.job))
        if not path.exists():
            write_json(path, job, indent=1)
            return
        begun = read_json(path, dict)
        for key in [*job, *begun]:
            if job.get(key) != begun.get(key):
                raise InputError(
                    f'{self.folder} holds labels of another job ({key} was '
                    f'{begun.get(key)!r}, now it is {job.get(key)!r}): give '
                    'the same arguments, or another folder'
                )

    def _path(self, number: int) -> Path:
        return self.folder / 'shards' / f'shard-{number:05d}.npz'

    def _report(self, number: int) -> dict[str, Any] | None:
        """The report of a shard that is done."""
        path = self._path(number)
        if not path.with_suffix('.json').exists():
            return None
        report = read_json(path.with_suffix('.json'), dict)
        whole = path.exists() and path.stat().st_size == report['num_bytes']
        return report if whole else None

    def _write(self, number: int, labels: Labels, faces: Any) -> None:
        path = self._path(number)
        arrays = people_arrays(labels.people, faces)
        # An array of no texts has no length of texts either.
        arrays['image_path'] = np.array(labels.image_paths, np.str_)
        data = npz_bytes(arrays)
        write_bytes(path, data)
        # After the labels: what has a report is done.
        report = dict(
            file=path.name,
            num_pictures=len(self.shards[number]),
            num_people=len(labels.people),
            num_bytes=len(data),
            sha256=hashlib.sha256(data).hexdigest(),
            unusable=labels.unusable,
        )
        write_json(path.with_suffix('.json'), report, indent=1)

    def _finish(self) -> Progress:
        """Sum up, and write the index when all is done."""
        reports = [self._report(number) for number in range(len(self.shards))]
        done = [report for report in reports if report is not None]
        progress = Progress(
            len(reports),
            len(done),
            sum(report['num_pictures'] for report in done),
            sum(report['num_people'] for report in done),
            [each for report in done for each in report.pop('unusable')],
        )
        if progress.num_done == progress.num_shards:
            remove_incomplete_files(self.folder / 'shards')
            index = dict(
                job=self.job,
                num_pictures=progress.num_pictures,
                num_people=progress.num_people,
                shards=done,
                unusable=progress.unusable,
            )
            write_json(self.folder / 'index.json', index, indent=1)
        return progress


def shard_files(out_dir: str | Path) -> Sequence[Path]:
    """The shards of a job that is done.

    Args:
        out_dir: its folder.

    Raises:
        UnusableFileError: it has no index: the job is not done.
    """
    index = read_json(Path(out_dir, 'index.json'), dict)
    return [Path(out_dir, 'shards', each['file']) for each in index['shards']]

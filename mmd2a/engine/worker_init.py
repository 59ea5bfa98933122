"""Random numbers and threads of data loading workers."""

import os

import cv2
import torch

from mmd2a.engine.seeding import seed_generators
from mmd2a.engine.stopping import leave_stopping_to_parent
from mmd2a.registry import FUNCTIONS


@FUNCTIONS.register_module()
def init_worker(worker_id: int, _scope_: str | None = None) -> None:
    r"""Give a worker random numbers of its own, one thread and few files.

    MMEngine seeds NumPy and ``random`` of worker :math:`w` with
    :math:`\text{seed} + w`, the same in every epoch, so augmentations repeat.
    Here all generators are seeded from torch's seed of the worker, which
    torch draws anew every epoch, and from the rank of the process. Signals
    to stop are the parent's matter.

    Args:
        worker_id: number of the worker; torch's seed already differs by it.
        _scope_: ignored; MMEngine passes it on from a config whose base is
            named ``mmd2a::folder/name.py``.

    Example:
        >>> train_dataloader = dict(
        ...     num_workers=2,
        ...     worker_init_fn=dict(type='mmd2a.init_worker'))
    """
    # Every launcher leaves the rank in the environment, which workers
    # inherit whichever way they are started.
    rank = int(os.environ.get('RANK', 0))
    seed_generators(torch.initial_seed(), rank)
    # A sample holds over a dozen tensors. Sent by file descriptor, torch's
    # default, a few prefetched batches exceed the 1024 open files that many
    # systems allow a process.
    torch.multiprocessing.set_sharing_strategy('file_system')
    # Workers are the parallelism; threads inside them would compete.
    torch.set_num_threads(1)
    cv2.setNumThreads(0)
    if torch.utils.data.get_worker_info() is not None:
        leave_stopping_to_parent()

"""One seed for all generators of a process."""

import random

import numpy as np
import torch


def seed_generators(*entropy: int) -> None:
    """Seed ``random``, NumPy and torch, on all devices, from some numbers.

    The numbers are hashed: seeds that differ by one, or the same ones in
    another order, give unrelated sequences.

    Args:
        *entropy: what the random numbers may depend on, e.g. the seed of the
            run, the epoch and the rank; any integers.

    Example:
        >>> seed_generators(0, 1)
        >>> a = torch.rand(())
        >>> seed_generators(1, 0)
        >>> bool(torch.rand(()) == a)
        False
    """
    words = np.random.SeedSequence(
        [number % 2**64 for number in entropy]
    ).generate_state(8)
    random.seed(words.tobytes())
    # Transforms written for the ecosystem use NumPy's global generator.
    np.random.seed(words[:4])  # noqa: NPY002
    torch.manual_seed(int(words[4:6].view(np.uint64)[0]))

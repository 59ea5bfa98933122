"""All generators of a process: seeded as one, kept and put back."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.device import get_device


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


def generator_states() -> dict[str, Any]:
    """Take down the state of ``random``, NumPy and torch, device included.

    Returns:
        dict: plain values and tensors, fit for a checkpoint.

    Example:
        >>> states = generator_states()
        >>> a = torch.rand(())
        >>> restore_generators(states)
        >>> bool(torch.rand(()) == a)
        True
    """
    version, words, gauss = random.getstate()
    numpy_state: Any = np.random.get_state()  # noqa: NPY002
    kind, keys, *rest = numpy_state
    device = _device_module()
    return dict(
        python=[version, torch.tensor(words), gauss],
        numpy=[kind, torch.tensor(keys.astype(np.int64)), *rest],
        torch=torch.get_rng_state(),
        device=None if device is None else device.get_rng_state(),
    )


def restore_generators(states: dict[str, Any]) -> None:
    """Put back what :func:`generator_states` took down, on any device."""
    version, words, gauss = states['python']
    random.setstate((version, tuple(words.tolist()), gauss))
    kind, keys, *rest = states['numpy']
    np.random.set_state(  # noqa: NPY002
        (kind, keys.cpu().numpy().astype(np.uint32), *rest)
    )
    torch.set_rng_state(states['torch'].cpu())
    device = _device_module()
    if device is not None and states['device'] is not None:
        device.set_rng_state(states['device'].cpu())


def _device_module() -> Any:
    """What torch has for the device that models are put on; None: the CPU."""
    kind = get_device()
    return None if kind == 'cpu' else torch.get_device_module(kind)

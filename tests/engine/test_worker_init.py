"""Workers draw different random numbers in every epoch and rank."""

import subprocess
import sys

import torch

from mmd2a.engine.seeding import seed_generators


def epochs_of_noise(toy, workers, epochs=3, **changes):
    """Random numbers of each sample, per epoch, (epochs, samples)."""
    runner = toy(
        **{
            'train_dataloader.num_workers': workers,
            'train_dataloader.worker_init_fn': dict(type='mmd2a.init_worker'),
            'train_dataloader.sampler.shuffle': False,
            **changes,
        }
    )
    loader = runner.build_dataloader(runner._train_dataloader, seed=0)
    noise = []
    for epoch in range(epochs):
        seed_generators(0, epoch)
        noise.append(
            torch.cat([torch.tensor(batch['noise']) for batch in loader])
        )
    return torch.stack(noise)


def test_epochs_differ_and_repeat_exactly(toy):
    noise = epochs_of_noise(toy, workers=2)
    assert len(noise.unique()) == noise.numel()
    assert torch.equal(noise, epochs_of_noise(toy, workers=2))


def test_a_config_named_by_package_works_with_workers(toy):
    # MMEngine marks the parts of such a config with their scope.
    assert (
        len(
            epochs_of_noise(
                toy,
                workers=1,
                epochs=1,
                **{
                    'train_dataloader.worker_init_fn': dict(
                        type='mmd2a.init_worker', _scope_='mmd2a'
                    )
                },
            ).unique()
        )
        > 1
    )


def test_ranks_differ(toy, monkeypatch):
    first = epochs_of_noise(toy, workers=2, epochs=1)
    monkeypatch.setenv('RANK', '1')
    assert not (first == epochs_of_noise(toy, workers=2, epochs=1)).any()


def test_the_default_of_mmengine_repeats_itself(toy):
    """The reason for ours; when this fails, ours can go."""
    runner = toy(
        **{
            'train_dataloader.num_workers': 1,
            'train_dataloader.sampler.shuffle': False,
        }
    )
    loader = runner.build_dataloader(runner._train_dataloader, seed=0)
    first, second = (
        torch.cat([torch.tensor(b['noise']) for b in loader]) for _ in range(2)
    )
    assert torch.equal(first, second)


def test_a_resumed_run_with_workers_equals_one_never_interrupted(toy):
    changes = {
        'train_cfg.max_epochs': 3,
        'train_dataloader.num_workers': 1,
        'train_dataloader.worker_init_fn': dict(type='mmd2a.init_worker'),
    }
    whole = toy(work_dir='whole', **changes)
    whole.train()
    try:
        toy(stop_after=1, **changes).train()
    except KeyboardInterrupt:
        pass
    resumed = toy(resume=True, **changes)
    resumed.train()
    assert resumed.losses == whole.losses[4:]


def test_samples_of_many_tensors_need_few_open_files():
    """The limit on open files is 1024 on many systems; here it is 128."""
    script = """
import resource, torch
from torch.utils.data import DataLoader
from mmd2a.engine import init_worker
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
samples = [[torch.full((3,), float(i)) for _ in range(16)] for i in range(64)]
loader = DataLoader(samples, batch_size=16, num_workers=1,
                    worker_init_fn=init_worker, collate_fn=list)
batches = [[[tensor.clone() for tensor in sample] for sample in batch]
           for batch in loader]
assert sum(map(len, batches)) == 64 and batches[3][15][15][0] == 63
"""
    done = subprocess.run(
        [sys.executable, '-c', script],
        text=True,
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]

"""Training steps of one checkout, taken one by one on request.

Started by training_step.py in a process of its own, whose PYTHONPATH says
which checkout is measured: ``step_worker.py CONFIG OPTIONS.json``. A line of
JSON in, a line of JSON out, until the input ends. Runs on earlier commits of
the package too, so it uses only what they have.
"""

import json
import os
import sys
import time

if __name__ == '__main__':  # As tools/train.py does.
    try:
        from mmd2a.cli.memory import keep_memory
    except ImportError:  # an earlier commit
        pass
    else:
        keep_memory()

import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement

from mmd2a.cli.tool_config import check_packages, read_config
from mmd2a.registry import DATASETS, MODELS
from mmd2a.structures import BodyDataSample


class Worker:
    """A model, its data and its optimiser.

    Args:
        cfg: the config.
    """

    def __init__(self, cfg: Config) -> None:
        self.batch_size = cfg.train_dataloader.batch_size
        cfg.train_dataloader.dataset.num_people = self.batch_size
        self.dataset = DATASETS.build(cfg.train_dataloader.dataset)
        torch.manual_seed(0)
        self.model = MODELS.build(cfg.model).train()
        self.optim_wrapper = build_optim_wrapper(self.model, cfg.optim_wrapper)
        self.batch: dict = {}

    def give(self, path: str) -> dict:
        """Write a batch and the weights."""
        batch = self._read()
        samples = [
            dict(
                gt=dict(sample.gt.items()),
                meta={
                    key: sample.get(key)
                    for key in ('joint_set', 'depth_kind', 'sample_idx')
                    if sample.get(key) is not None
                },
            )
            for sample in batch['data_samples']
        ]
        inputs = {k: torch.stack(list(v)) for k, v in batch['inputs'].items()}
        torch.save(
            dict(
                inputs=inputs, samples=samples, weights=self.model.state_dict()
            ),
            path,
        )
        return {}

    def take(self, path: str) -> dict:
        """Read a batch and weights that some worker wrote."""
        given = torch.load(path, weights_only=True)
        samples = []
        for one in given['samples']:
            sample = BodyDataSample(metainfo=one['meta'])
            sample.gt = BaseDataElement(**one['gt'])
            samples.append(sample)
        self.batch = dict(inputs=given['inputs'], data_samples=samples)
        own = self.model.state_dict()
        self.model.load_state_dict(
            {name: given['weights'][name] for name in own}
        )
        return {}

    def gradients(self, path: str) -> dict:
        """Losses of the batch; gradients are written."""
        self.optim_wrapper.zero_grad()
        losses = self._forward()
        sum(v for k, v in losses.items() if 'loss' in k).backward()
        torch.save({n: p.grad for n, p in self.model.named_parameters()}, path)
        self.optim_wrapper.zero_grad()
        return {name: float(value) for name, value in losses.items()}

    def step(self) -> dict:
        """Milliseconds of the processor for a step and its parts."""
        clock = time.process_time
        times = [clock()]
        self._read()
        times.append(clock())
        losses = self._forward()
        total, _ = self.model.parse_losses(losses)
        times.append(clock())
        total.backward()
        times.append(clock())
        self.optim_wrapper.step()
        self.optim_wrapper.zero_grad()
        times.append(clock())
        names = ('data', 'forward', 'backward', 'optimiser')
        return {
            name: 1e3 * (end - begin)
            for name, begin, end in zip(names, times, times[1:])
        }

    def _read(self) -> dict:
        return pseudo_collate(
            [self.dataset[i] for i in range(self.batch_size)]
        )

    def _forward(self) -> dict:
        torch.manual_seed(0)  # the same draws in every checkout
        batch = self.model.data_preprocessor(
            {**self.batch, 'inputs': dict(self.batch['inputs'])}, training=True
        )
        return self.model(**batch, mode='loss')


def main() -> None:
    # What the package prints must not come between the answers.
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)
    torch.set_num_threads(1)
    cfg = read_config(sys.argv[1], json.loads(sys.argv[2]))
    check_packages(cfg)
    init_default_scope(cfg.get('default_scope', 'mmd2a'))
    worker = Worker(cfg)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        answer = getattr(worker, name)(*arguments)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == '__main__':
    main()

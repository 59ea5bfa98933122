"""A training that takes a second, for tests of what is around a model."""

import random

import numpy as np
import torch
from mmengine.dist import get_rank
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from mmd2a.registry import DATASETS, HOOKS, METRICS, MODELS


@DATASETS.register_module()
class ToyDataset(Dataset):
    """Points on a line, with noise drawn anew each time."""

    METAINFO = dict(sigmas=np.array([0.1, 0.2]), names=('a', 'b'))

    def __init__(self, length=16):
        self.length = length
        self.metainfo = self.METAINFO

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        x = torch.tensor([index / self.length, 1.0])
        # All three generators, as transforms of the ecosystem use them.
        noise = np.random.rand()  # noqa: NPY002
        noise += random.random() + float(torch.rand(()))
        return dict(inputs=x, target=x.sum(), noise=noise, index=index)


@MODELS.register_module()
class ToyModel(BaseModel):
    """A linear layer, a normalisation with statistics, and dropout."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 4)
        self.norm = nn.BatchNorm1d(4)
        self.dropout = nn.Dropout(0.5)
        self.last = nn.Linear(4, 1)

    def forward(self, inputs, target, noise, index, mode='tensor'):
        x = torch.stack(inputs).to(self.last.weight.device)
        y = self.last(self.dropout(self.norm(self.layer(x))))[:, 0]
        if mode == 'predict':
            return [dict(error=e) for e in (y - torch.stack(target)).abs()]
        noise = torch.tensor(noise, dtype=torch.float32)
        return dict(
            loss_line=(y - torch.stack(target) - 0.1 * noise).square().mean()
        )


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """Mean absolute error."""

    def process(self, data_batch, data_samples):
        self.results += [float(sample['error']) for sample in data_samples]

    def compute_metrics(self, results):
        return dict(error=np.float64(np.mean(results)))


@HOOKS.register_module()
class ToyDumpHook(Hook):
    """Write what each rank ended with, and the noise it drew."""

    def __init__(self):
        self.noise = []

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ):
        self.noise += data_batch['noise']

    def after_train(self, runner):
        model = runner.model
        model = getattr(model, 'module', model)
        params = dict(model.named_parameters())
        torch.save(
            dict(params=params, noise=torch.tensor(self.noise)),
            f'{runner.work_dir}/rank_{get_rank()}.pth',
        )

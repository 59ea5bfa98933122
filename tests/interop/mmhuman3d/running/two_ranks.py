"""Run by torchrun: train and evaluate on two ranks; rank 0 writes results."""

import json
import sys

import torch
from mmengine.config import Config
from mmengine.dist import all_gather_object, get_rank

from mmd2a.cli.launch import build_runner
from mmd2a.engine.distributed import shutdown_distributed
from mmd2a.interop.mmhuman3d.running.optimizers import average_gradients
from mmd2a.interop.mmhuman3d.settings.translation import translate_config


def averaged() -> list:
    """Both ranks, one, none use a parameter; one is frozen."""
    rank = get_rank()
    params = [torch.nn.Parameter(torch.zeros(2)) for _ in range(4)]
    params[0].grad = torch.tensor([1.0, 10.0]) * (rank + 1)
    if rank == 1:
        params[1].grad = torch.ones(2)
    params[3].requires_grad_(False)
    average_gradients(params)
    return [
        None if param.grad is None else param.grad.tolist() for param in params
    ]


def train(config: str) -> dict:
    cfg = Config.fromfile(config)
    cfg.runner.max_epochs = 1
    cfg = translate_config(cfg)
    cfg.work_dir = f'two_ranks_{cfg.optim_wrapper.get("constructor")}'
    runner = build_runner(cfg, 'pytorch')
    runner.train()
    weights = {
        name: value.sum().item()
        for name, value in runner.model.module.named_parameters()
    }
    history = runner.message_hub.get_scalar('train/keypoints3d_loss').data[0]
    everywhere = all_gather_object((weights, history.tolist()))
    return dict(
        alike=everywhere[0][0] == everywhere[1][0],
        checkpoint=runner.message_hub.get_info('last_ckpt'),
        wrapper=type(runner.model).__name__,
        metrics={
            name: runner.message_hub.get_scalar(f'val/{name}').current()
            for name in ('MPJPE', 'PA-MPJPE')
        },
    )


if __name__ == '__main__':
    trained = [train(config) for config in sys.argv[1:]]
    results = dict(trained=trained, averaged=all_gather_object(averaged()))
    if get_rank() == 0:
        with open('two_ranks.json', 'w') as file:
            json.dump(results, file)
    shutdown_distributed()

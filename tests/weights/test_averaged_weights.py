"""Of a training that averages its weights, the averaged ones are shipped."""

import torch
from mmengine.hooks import EMAHook
from mmengine.registry import MODELS

from mmd2a.engine.checkpoint_loading import (
    load_every_parameter,
    read_checkpoint,
)
from mmd2a.weights.writing import to_ship


def test_averaged_weights_are_what_is_shipped(toy):
    runner = toy()
    runner.train()
    [averaging] = [h for h in runner.hooks if isinstance(h, EMAHook)]
    averaged = averaging.ema_model.module.state_dict()
    checkpoint = read_checkpoint(f'{runner.work_dir}/epoch_2.pth', 'cpu')
    model, fresh = (MODELS.build(dict(type='ToyModel')) for _ in range(2))
    load_every_parameter(model, checkpoint)
    state = to_ship(model, fresh)
    of_optimiser = runner.model.state_dict()
    assert state
    for name, value in state.items():
        expected = averaged[name].to(value.dtype)
        assert torch.equal(value, expected), name
    assert any(
        not torch.equal(value, of_optimiser[name].to(value.dtype))
        for name, value in state.items()
    )

"""Mixed precision on the CPU."""

import pytest
import torch
from mmengine.config import Config

from mmd2a.cli.launch import use_amp


def test_the_forward_pass_runs_in_bfloat16_and_weights_stay_float32(toy):
    seen = set()
    runner = toy(**{'optim_wrapper.type': 'mmd2a.CPUAmpOptimWrapper'})
    runner.model.layer.register_forward_hook(
        lambda module, args, out: seen.add((module.training, out.dtype))
    )
    runner.train()
    assert (True, torch.bfloat16) in seen
    assert all(p.dtype == torch.float32 for p in runner.model.parameters())
    assert all(torch.tensor(runner.losses).isfinite())


@pytest.mark.parametrize(
    'has_gpu, kind',
    [(False, 'mmd2a.CPUAmpOptimWrapper'), (True, 'AmpOptimWrapper')],
)
def test_amp_fits_the_device(monkeypatch, has_gpu, kind):
    monkeypatch.setattr(torch.cuda, 'is_available', lambda: has_gpu)
    cfg = Config(
        dict(
            optim_wrapper=dict(
                type='OptimWrapper', optimizer=dict(type='SGD', lr=1.0)
            )
        )
    )
    use_amp(cfg)
    assert cfg.optim_wrapper.type == kind
    use_amp(cfg)  # asking twice changes nothing
    assert cfg.optim_wrapper.type == kind

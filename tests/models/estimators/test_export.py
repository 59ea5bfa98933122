"""A model exports for any batch: the exported one is the eager one."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from torch import nn

from mmd2a.registry import MODELS

CONFIG = Path(__file__).resolve().parents[3] / 'configs' / 'd2a_hmr_hrnet.py'
CASES = {
    'coarse mesh': dict(),
    'parameters': {'head.type': 'mmd2a.SMPLHead'},
    'no depth': {'depth_branch': None},
    'refined': {
        'localizer': dict(type='mmd2a.JointLocalizer', channels=16),
        'refiner': dict(type='mmd2a.MeshRefiner'),
    },
}


class Tensors(nn.Module):
    """The model with tensors in and out."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, img, depth, has_depth):
        output = self.model(dict(img=img, depth=depth, has_depth=has_depth))
        return output['vertices'], output['camera'], output['mask']


def build(**changes):
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    cfg.merge_from_dict({f'model.{k}': v for k, v in changes.items()})
    torch.manual_seed(0)
    model = MODELS.build(dict(copy.deepcopy(cfg.model), keep_mask=True))
    for parameter in model.parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.02)
    return Tensors(model).eval()


def draw(batch, size=64):
    return (
        torch.randn(batch, 3, size, size),
        torch.randn(batch, 2, size, size),
        torch.arange(batch) % 2 + 0.0,
    )


@pytest.mark.parametrize('case', CASES)
def test_one_program_serves_any_batch(case):
    model = build(**CASES[case])
    batch = torch.export.Dim('batch', min=1, max=64)
    program = torch.export.export(
        model,
        draw(3),
        dynamic_shapes=dict.fromkeys(
            ('img', 'depth', 'has_depth'), {0: batch}
        ),
    ).module()
    for size in (1, 2, 5):
        inputs = draw(size)
        with torch.no_grad():
            torch.testing.assert_close(
                program(*inputs), model(*inputs), atol=1e-5, rtol=0
            )


@pytest.mark.filterwarnings('ignore::torch.jit.TracerWarning')
@pytest.mark.parametrize('case', ['coarse mesh', 'parameters', 'refined'])
def test_one_trace_serves_any_batch(case):
    model = build(**CASES[case])
    with torch.no_grad():
        trace = torch.jit.trace(model, draw(3), check_trace=False)
        # What the ONNX exporter of TorchScript knows in part only.
        assert 'adaptive_avg_pool' not in str(trace.inlined_graph)
        for size in (1, 5):
            inputs = draw(size)
            torch.testing.assert_close(
                trace(*inputs), model(*inputs), atol=1e-5, rtol=0
            )

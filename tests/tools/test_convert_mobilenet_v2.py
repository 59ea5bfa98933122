"""MobileNetV2 of torchvision under the names of mmpose's."""

import importlib
from pathlib import Path

import pytest
import torch
from mmengine.registry import init_default_scope

from mmd2a.cli.tool_config import UsageError
from mmd2a.registry import MODELS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'weights'))
    return importlib.import_module('convert_mobilenet_v2')


@pytest.fixture
def backbone():
    pytest.importorskip('mmpose')
    init_default_scope('mmd2a')
    cfg = dict(type='mmpose.MobileNetV2', out_indices=(1, 2, 4, 7))
    net = MODELS.build(cfg)
    net.eval()  # returns nothing
    return net


def test_the_renamed_network_is_the_same(tool, backbone):
    """All four maps of an image, against torchvision itself."""
    torchvision = pytest.importorskip('torchvision')
    torch.manual_seed(0)
    theirs = torchvision.models.mobilenet_v2().eval()
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    state = tool.rename(theirs.state_dict(), backbone.state_dict())
    backbone.load_state_dict(
        {key.removeprefix('backbone.'): value for key, value in state.items()}
    )
    image = torch.randn(1, 3, 64, 64)
    x, expected = image, []
    for index, layer in enumerate(theirs.features):
        x = layer(x)
        if index in (3, 6, 13, 18):
            expected.append(x)
    for ours, reference in zip(backbone(image), expected, strict=True):
        torch.testing.assert_close(ours, reference, rtol=1e-4, atol=1e-5)


def test_another_network_is_refused(tool, backbone):
    with pytest.raises(UsageError, match="torchvision's MobileNetV2"):
        tool.rename(
            {'features.0.weight': torch.zeros(3)}, {'a': torch.ones(1)}
        )

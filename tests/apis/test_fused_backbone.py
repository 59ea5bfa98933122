"""A fused backbone gives the same meshes, in fewer passes."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch

from mmd2a.apis import Predictor, get_model
from mmd2a.apis.fused_backbone import fuse_backbone

pytest.importorskip('mmpose')

CONFIGS = Path(__file__).parents[2] / 'configs'


@pytest.mark.parametrize('kind', ['MobileNetV2', 'ResNet', 'HRNet'])
def test_every_backbone_of_the_configs_gives_the_same(kind):
    from mmengine.config import Config

    from mmd2a.registry import MODELS

    backbone = dict(
        MobileNetV2=dict(type='mmpose.MobileNetV2', out_indices=(3, 7)),
        ResNet=dict(type='mmpose.ResNet', depth=50, out_indices=(0, 3)),
        HRNet=Config.fromfile(CONFIGS / 'd2a_hmr_hrnet.py').model.backbone,
    )[kind]
    torch.manual_seed(0)
    model = torch.nn.Module()
    model.backbone = MODELS.build(backbone)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, std=0.1)
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
    fused = fuse_backbone(copy.deepcopy(model).eval())
    names = {type(module).__name__ for module in fused.modules()}
    assert not any('BatchNorm' in name for name in names)
    images = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        for one, other in zip(
            model.eval().backbone(images), fused.backbone(images)
        ):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_a_predictor_tells_what_the_plain_model_does():
    predictor = Predictor()
    assert not any(
        parameter.requires_grad for parameter in predictor.model.parameters()
    )
    image = np.random.default_rng(0).integers(0, 256, (2, 128, 96, 3))
    batch = dict(images=image.astype(np.uint8))
    fast = predictor(batch)
    plain = Predictor()
    plain.load()
    plain._model = get_model('mmd2a::d2a_hmr_mobilenet-v2')
    for key, value in plain(batch).items():
        atol = 1e-5  # Metres, and what has no unit.
        if key.startswith('keypoints2d'):
            atol = 1e-3  # Pixels.
        if key == 'transl':
            atol = 1e-4  # Metres away, of a camera of 1e-5.
        assert np.abs(value - fast[key]).max() <= atol, key


def test_a_model_in_training_is_refused():
    with pytest.raises(ValueError, match=r'call model\.eval\(\) first'):
        fuse_backbone(get_model('mmd2a::d2a_hmr_mobilenet-v2').train())

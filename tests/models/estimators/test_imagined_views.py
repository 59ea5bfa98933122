"""Views are predicted as they are imagined, told their angle or not."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmd2a.models.estimators import imagined_views as module
from mmd2a.registry import MODELS

CONFIG = Path(__file__).resolve().parents[3] / 'configs/imphmr/imphmr_hrnet.py'
VIEWS = (0, 90, 200.5, -45)


@pytest.fixture(scope='module')
def build():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    # Sizes of a test.
    cfg.model.renderer.update(size=6, num_samples=4)
    cfg.model.field.update(hidden=16, out_channels=16)

    def make(conditioning='global', frequencies=2, **changes):
        torch.manual_seed(0)
        field = dict(
            cfg.model.field,
            conditioning=conditioning,
            direction_frequencies=frequencies,
        )
        model = MODELS.build(dict(cfg.model, field=field, **changes))
        model.init_weights()
        return model.eval()

    return make


@pytest.fixture(scope='module')
def images():
    generator = torch.Generator().manual_seed(0)
    return dict(img=torch.randn(2, 3, 64, 64, generator=generator))


@pytest.fixture
def people(body, make_sample):
    return [make_sample(body, seed) for seed in range(2)]


@pytest.mark.parametrize('conditioning', ['global', 'film', 'pixel'])
@pytest.mark.parametrize('at_once', [1, 4, 6, 64])
def test_views_are_those_imagined_one_by_one(
    conditioning, at_once, build, images, people, body, monkeypatch
):
    monkeypatch.setattr(module, '_AT_ONCE', at_once)
    model = build(conditioning, views=VIEWS)
    with torch.no_grad():
        seen = model(images)
        predicted = model(images, people, mode='predict')
        for k, degrees in enumerate(VIEWS):
            alone = model.imagine(seen, math.radians(degrees))
            alone['mask'] = alone['mask'].sigmoid()
            for index, sample in enumerate(predicted):
                for name in ('vertices', 'keypoints3d', 'mask'):
                    torch.testing.assert_close(
                        sample.pred.get(f'views_{name}')[k],
                        alone[name][index],
                        atol=1e-5,
                        rtol=1e-4,
                    )
    count = len(VIEWS)
    for sample in predicted:
        pred = sample.pred
        assert pred.views_vertices.shape == (count, body.num_vertices, 3)
        assert pred.views_keypoints3d.shape == (count, 14, 3)
        assert pred.views_mask.shape == (count, 1, 48, 48)
        torch.testing.assert_close(
            pred.views_yaw, torch.tensor(VIEWS).deg2rad()
        )
    # Two sides are not the same picture.
    assert not torch.allclose(pred.views_mask[0], pred.views_mask[1])


def test_at_most_so_many_pictures_are_imagined_at_once(
    build, images, people, monkeypatch
):
    monkeypatch.setattr(module, '_AT_ONCE', 6)
    model = build(views=range(0, 360, 45))
    batches = []
    imagine = model.imagine

    def watched(output, yaw):
        batches.append(len(yaw))
        return imagine(output, yaw)

    monkeypatch.setattr(model, 'imagine', watched)
    with torch.no_grad():
        model(images, people, mode='predict')
    assert batches == [6, 6, 4]


def test_off_costs_nothing(build, images, people, monkeypatch):
    model = build()

    def never(output, yaw):
        raise AssertionError('nobody asked for a view')

    monkeypatch.setattr(model, 'imagine', never)
    with torch.no_grad():
        [first, _] = model(images, people, mode='predict')
    assert not [name for name in first.pred.keys() if 'views' in name]


def test_without_a_decoder_there_are_no_masks(build, images, people):
    model = build(views=[90], silhouette_decoder=None)
    with torch.no_grad():
        [first, _] = model(images, people, mode='predict')
    assert 'views_mask' not in first.pred
    assert first.pred.views_vertices.shape[0] == 1


@pytest.mark.parametrize(
    'views, why',
    [
        ([0, math.nan], 'must be finite'),
        ([math.inf], 'must be finite'),
        ([0, 90, 360], 'twice'),
        ([-90, 270], 'twice'),
    ],
)
def test_angles_that_are_none_are_refused(views, why, build):
    with pytest.raises(ValueError, match=why):
        build(views=views)


@pytest.mark.parametrize('conditioning', ['global', 'film', 'pixel'])
def test_without_the_direction_of_view_every_parameter_trains(
    conditioning, build, images, people
):
    model = build(conditioning, frequencies=None).train()
    losses = model(images, people, mode='loss')
    model.parse_losses(losses)[0].backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        if name.startswith('field.'):
            assert parameter.grad.any(), name
    # Views differ all the same: what they see is turned.
    model.eval()
    with torch.no_grad():
        seen = model(images)
        left = model.imagine(seen, math.pi / 2)
    assert not torch.allclose(left['opacity'], seen['opacity'], atol=1e-5)

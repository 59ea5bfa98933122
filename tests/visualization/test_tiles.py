"""The pictures of one prediction."""

import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement

from mmd2a.structures import BodyDataSample
from mmd2a.visualization.tiles import TILE_NAMES, prediction_tiles

IMAGE = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)


def predict(body, **fields):
    """A sample with a prediction of the resting body."""
    vertices = body.v_template * torch.tensor([1.0, -1, -1])
    vertices = vertices - vertices.mean(0)
    sample = BodyDataSample()
    sample.pred = BaseDataElement(
        vertices=vertices, camera=torch.tensor([0.9, 0, 0]), **fields
    )
    return sample


def test_a_full_prediction_fills_every_tile_in_order(body):
    sample = predict(
        body,
        mask=torch.rand(1, 8, 8),
        sigma=torch.rand(body.num_vertices) * 0.05,
    )
    depth = torch.rand(1, 32, 32) + 1
    tiles = prediction_tiles(sample, IMAGE, depth, body.faces)
    assert tuple(tiles) == TILE_NAMES
    for tile in tiles.values():
        assert tile.shape == (32, 32, 3) and tile.dtype == np.uint8
    np.testing.assert_array_equal(tiles['Input'], IMAGE)


@pytest.mark.parametrize('depth', [None, np.full((32, 32), np.nan)])
def test_what_the_sample_lacks_is_left_out(body, depth):
    tiles = prediction_tiles(predict(body), IMAGE, depth, body.faces)
    assert list(tiles) == ['Input', 'Mesh', 'Side view']


def test_a_small_crop_is_enlarged_before_the_mesh_is_drawn(body):
    tiles = prediction_tiles(
        predict(body), IMAGE, np.ones((32, 32)), body.faces, side=96
    )
    assert {tile.shape for tile in tiles.values()} == {(96, 96, 3)}
    untouched = (tiles['Mesh'] == tiles['Input']).all(-1)
    assert 0.5 < untouched.mean() < 0.99


def test_a_prediction_that_is_not_finite_still_gives_tiles(body):
    sample = predict(body, sigma=torch.full((body.num_vertices,), np.nan))
    sample.pred.vertices[:] = np.nan
    tiles = prediction_tiles(sample, IMAGE, None, body.faces)
    np.testing.assert_array_equal(tiles['Mesh'], IMAGE)
    assert (tiles['Uncertainty'] == 255).all()


def test_drawing_does_not_change_the_sample_or_the_image(body):
    sample, image = predict(body), IMAGE.copy()
    vertices = sample.pred.vertices.clone()
    prediction_tiles(sample, image, None, body.faces)
    assert torch.equal(sample.pred.vertices, vertices)
    np.testing.assert_array_equal(image, IMAGE)


def test_a_sample_that_cannot_be_drawn_says_why(body):
    with pytest.raises(ValueError, match='no predictions'):
        prediction_tiles(BodyDataSample(), IMAGE, None, body.faces)
    sample = predict(body)
    del sample.pred.camera
    with pytest.raises(ValueError, match=r"no `camera`, only \['vertices'\]"):
        prediction_tiles(sample, IMAGE, None, body.faces)
    with pytest.raises(ValueError, match="model's `body_model`"):
        prediction_tiles(predict(body), IMAGE, None, body.faces + 1)

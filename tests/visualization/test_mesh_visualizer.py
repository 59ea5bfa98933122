"""Pictures on their way to MMEngine's backends."""

import cv2
import numpy as np
import pytest
import torch
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.structures import BaseDataElement

from mmd2a.structures import BodyDataSample
from mmd2a.visualization import MeshVisualizer

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)


@pytest.fixture
def sample(body):
    vertices = body.v_template * torch.tensor([1.0, -1, -1])
    sample = BodyDataSample()
    sample.pred = BaseDataElement(
        vertices=vertices - vertices.mean(0),
        camera=torch.tensor([0.9, 0, 0]),
        sigma=torch.linspace(0.01, 0.05, body.num_vertices),
    )
    return sample


@pytest.fixture
def visualizer(tmp_path):
    visualizer = MeshVisualizer(
        tile=48,
        vis_backends=[dict(type='LocalVisBackend')],
        save_dir=str(tmp_path),
    )
    yield visualizer
    visualizer.close()


def read(path):
    return cv2.imread(str(path))[..., ::-1]


def test_any_scope_builds_it_by_name():
    visualizer = MMENGINE_VISUALIZERS.build(
        dict(type='mmd2a.MeshVisualizer', name='by_name', tile=32)
    )
    assert isinstance(visualizer, MeshVisualizer) and visualizer.tile == 32


def test_the_row_of_one_person_reaches_the_local_backend(
    visualizer, sample, tmp_path
):
    visualizer.add_datasample('person', IMAGE, sample, step=7)
    written = read(tmp_path / 'vis_data' / 'vis_image' / 'person_7.png')
    np.testing.assert_array_equal(written, visualizer.draw([IMAGE], [sample]))


def test_the_row_goes_to_a_file_if_one_is_named(visualizer, sample, tmp_path):
    path = tmp_path / 'row.png'
    depth = np.random.default_rng(0).uniform(1, 2, (24, 24))
    visualizer.add_datasample(
        'person', IMAGE, sample, depth=depth, out_file=path
    )
    expected = visualizer.draw([IMAGE], [sample], [depth])
    np.testing.assert_array_equal(read(path), expected)
    assert not (tmp_path / 'vis_data').exists()


def test_without_a_prediction_the_image_alone_is_recorded(
    visualizer, sample, tmp_path
):
    folder = tmp_path / 'vis_data' / 'vis_image'
    visualizer.add_datasample('a', IMAGE, BodyDataSample())
    visualizer.add_datasample('b', IMAGE, sample, draw_pred=False)
    for name in ('a_0.png', 'b_0.png'):
        np.testing.assert_array_equal(read(folder / name), IMAGE)


def test_people_with_and_without_sigma_share_a_sheet(visualizer, sample):
    other = BodyDataSample()
    other.pred = sample.pred.clone()
    del other.pred.sigma
    both = visualizer.draw([IMAGE] * 2, [sample, other], captions=['a', 'b'])
    one = visualizer.draw([IMAGE], [sample], captions=['a'])
    assert both.shape[1] == one.shape[1]
    assert both.shape[0] > one.shape[0] + 40
    # Without any sigma there is neither the column nor the colour bar.
    none = visualizer.draw([IMAGE], [other], captions=['b'])
    assert none.shape[1] < one.shape[1] - 48


def test_the_faces_can_be_those_of_another_body(visualizer, body, sample):
    whole = visualizer.draw([IMAGE], [sample])
    visualizer.faces = body.faces[: len(body.faces) // 2]
    assert not np.array_equal(whole, visualizer.draw([IMAGE], [sample]))

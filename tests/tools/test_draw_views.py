"""The sheet of imagined views: what its tiles show, and who is left out."""

import math
from pathlib import Path

import cv2
import draw_views
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import BaseDataElement

from mmd2a.registry import MODELS
from mmd2a.structures import BodyDataSample
from mmd2a.visualization import depth_to_color

CONFIG = Path(__file__).parents[2] / 'configs/imphmr/imphmr_hrnet.py'
SIDE, TILE, VIEWS = 64, draw_views.TILE, draw_views.VIEWS
K = torch.tensor([[120.0, 0, 31.5], [0, 120.0, 31.5], [0, 0, 1]])


@pytest.fixture(scope='module')
def model():
    pytest.importorskip('mmpose')
    cfg = Config.fromfile(CONFIG)
    init_default_scope(cfg.default_scope)
    cfg.model.renderer.update(size=6, num_samples=4)
    cfg.model.update(views=VIEWS)
    torch.manual_seed(0)
    return MODELS.build(cfg.model).eval()


def make_person(body, seed, known=True):
    """As a data set gives one: a crop and labels, which may say nothing."""
    generator = torch.Generator().manual_seed(seed)
    pose = 0.3 * torch.randn(72, generator=generator)
    pose[0] += math.pi
    place = torch.tensor([0.1, 0.2, 4.0])
    mesh = body(
        pose[None, :3], pose[None, 3:], torch.zeros(1, 10), place[None]
    ).vertices
    weight = torch.tensor(float(known))
    sample = BodyDataSample(
        metainfo=dict(sample_idx=seed, joint_set='h36m14', img_path='a.jpg')
    )
    sample.gt = BaseDataElement(
        global_orient=pose[:3],
        body_pose=pose[3:],
        betas=torch.zeros(10),
        transl=place,
        smpl_weight=weight,
        keypoints3d=body.regress_joints(mesh, 'h36m14')[0],
        keypoints3d_weight=weight.expand(14),
        keypoints2d=torch.zeros(14, 2),
        keypoints2d_weight=torch.zeros(14),
        mask=torch.zeros(1, SIDE, SIDE),
        mask_weight=torch.tensor(0.0),
        K=K,
    )
    crop = torch.randint(
        0, 256, (3, SIDE, SIDE), generator=generator, dtype=torch.uint8
    )
    return dict(inputs=dict(img=crop), data_samples=sample)


def test_a_sheet_has_three_rows_for_each_person(model, tmp_path):
    body = model.body_model
    people = [make_person(body, 0), make_person(body, 1, known=False)]
    path = tmp_path / 'views.png'
    draw_views.draw(model, people, str(path))
    sheet = cv2.imread(str(path))
    assert sheet.shape[0] > 6 * TILE
    assert sheet.shape[1] > (1 + len(VIEWS)) * TILE
    assert sheet.std() > 10
    # Labels of the second person are not drawn: nothing there is green.
    header = 20
    half = header + (len(sheet) - header) // 2
    blue, green, red = np.moveaxis(sheet.astype(int), -1, 0)
    is_green = (green > blue + 8) & (green > red + 8)
    first, second = is_green[:half, 2 * TILE :], is_green[half:, 2 * TILE :]
    assert first.mean() > 0.01
    assert not second.any()


def test_silhouettes_are_where_the_model_and_the_labels_agree():
    decoded = torch.zeros(8, 1, TILE, TILE)
    decoded[:, :, :, : TILE // 2] = 1
    mask = torch.zeros(TILE, TILE, dtype=torch.bool)
    mask[: TILE // 2] = True
    pred = BaseDataElement(views_mask=decoded)
    tiles = draw_views.silhouette_tiles(pred, [mask, None] + 6 * [mask])
    assert '45°' not in tiles and len(tiles) == 7
    tile = tiles['0°']
    assert tuple(tile[0, 0]) == draw_views.AGREED
    assert tuple(tile[-1, 0]) == draw_views.DECODED
    assert tuple(tile[0, -1]) == draw_views.LABELLED
    assert tuple(tile[-1, -1]) == (255, 255, 255)


def test_labels_at_zero_stand_where_they_do_on_the_input(model):
    label = dict(
        vertices=model.body_model.v_template * torch.tensor([1.0, -1, -1]),
        root3d=torch.tensor([[0.0, 0.2, 4.0]]),
        K=K,
        mask=torch.zeros(1, SIDE, SIDE),
    )
    tiles = draw_views.labelled_tiles(
        draw_views.white(),
        [label] * 8,
        [torch.ones(TILE, TILE)] + 7 * [None],
        model.body_model.faces.numpy(),
    )
    assert set(tiles) == {draw_views.SEEN, '0°'}
    np.testing.assert_array_equal(tiles[draw_views.SEEN], tiles['0°'])
    assert 0.02 < (tiles['0°'] < 255).any(-1).mean() < 0.5


def test_a_field_that_is_empty_has_no_depth():
    depth = torch.tensor([[-0.2, 0.3], [0.0, 0.1]])
    opacity = torch.tensor([[0.9, 0.9], [0.1, 0.0]])
    tile = draw_views.depth_tile(depth, opacity)
    colors = depth_to_color([[-0.2, 0.3, np.nan]], draw_views.DEPTHS)[0]
    for place, color in (((0, 0), 0), ((0, -1), 1), ((-1, 0), 2)):
        np.testing.assert_array_equal(tile[place], colors[color])


def test_errors_of_a_row_are_of_what_is_known():
    joints = torch.rand(8, 14, 3)
    pred = BaseDataElement(views_keypoints3d=joints + 0.1)
    labels = [
        dict(keypoints3d=each, keypoints3d_weight=torch.ones(14))
        for each in joints
    ]
    # 100 mm along each axis.
    told = draw_views.person_captions(pred, labels, [None] * 8)
    assert told == ['imagined: MPJPE 173 mm', 'silhouettes', 'labels, turned']
    for label in labels:
        label['keypoints3d_weight'] = torch.zeros(14)
    told = draw_views.person_captions(pred, labels, [None] * 8)
    assert told[0] == 'imagined'

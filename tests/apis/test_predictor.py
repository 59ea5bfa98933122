"""Arrays in, meshes out: the numbers of the pipeline, in any process."""

import pickle
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate

from mmd2a.apis import Predictor, get_model
from mmd2a.apis.get_model import weights_config
from mmd2a.datasets import BadSampleError, BodyDataset
from mmd2a.files import read_json
from mmd2a.geometry import denormalize_keypoints2d, project_points
from mmd2a.weights import find_weights

pytest.importorskip('mmpose')

PHOTO = Path(__file__).parents[2] / 'docs' / 'images' / 'balancing.json'
NAME = 'd2a_hmr_mobilenet-v2'


@pytest.fixture(scope='module')
def entry():
    return read_json(PHOTO)['data_list'][0]


@pytest.fixture(scope='module')
def photo(entry):
    return cv2.imread(str(PHOTO.parent / entry['img_path']))[..., ::-1].copy()


@pytest.fixture(scope='module')
def predictor():
    return Predictor(NAME, parameters=True, with_mask=True)


@pytest.fixture(scope='module')
def answer(predictor, photo, entry):
    return predictor(
        dict(images=[photo], bboxes=[entry['bbox']], K=entry['K'])
    )


def test_the_numbers_are_those_of_the_dataset_pipeline(answer, entry):
    cfg = weights_config(find_weights(NAME)[0])
    photo = BodyDataset(
        ann_file=str(PHOTO),
        data_prefix=dict(img_path=str(PHOTO.parent)),
        pipeline=[
            step
            for step in cfg.test_dataloader.dataset.pipeline
            if step['type'] != 'mmd2a.DegradeDepth'
        ],
        test_mode=True,
    )
    model = get_model(f'mmd2a::{NAME}', keep_mask=True)
    with torch.no_grad():
        [sample] = model.test_step(pseudo_collate([photo[0]]))
    for key in (
        'vertices',
        'keypoints3d',
        'sigma',
        'keypoints3d_sigma',
        'camera',
    ):
        assert np.abs(answer[key][0] - sample.pred.get(key).numpy()).max() < (
            1e-4
        ), key
    assert np.abs(answer['mask'][0] - sample.pred.mask[0].numpy()).max() < 1e-4
    found = denormalize_keypoints2d(
        sample.pred.keypoints2d_localized, sample.img_shape[::-1]
    ).numpy()
    matrix = answer['crop_matrix'][0]
    there = answer['keypoints2d_localized'][0] @ matrix[:, :2].T + matrix[:, 2]
    assert np.abs(found - there).max() < 1e-3


def test_a_camera_sees_the_mesh_where_the_network_saw_it(answer, entry):
    placed = torch.tensor(answer['keypoints3d'] + answer['transl'][:, None])
    K = torch.tensor(answer['K'], dtype=torch.float32)
    seen = project_points(placed, K).numpy()
    assert np.abs(seen - answer['keypoints2d']).max() < 0.5
    # What lies at the depth of the root is where weak perspective has it.
    matrix, size = answer['crop_matrix'][0], answer['crop_size'][0, 0]
    scale, tx, ty = answer['camera'][0]
    root = project_points(torch.tensor(answer['transl'][:, None]), K).numpy()[
        0, 0
    ]
    in_crop = ((np.array([tx, ty]) * scale + 1) * size - 1) / 2
    assert root @ matrix[:, :2].T + matrix[:, 2] == pytest.approx(
        in_crop, abs=0.01
    )
    # Labelled at 3.3 m.
    assert 2 < answer['transl'][0, 2] < 6


def test_parameters_pose_the_mesh(predictor, answer):
    body = predictor.model.body_model
    keys = ('global_orient', 'body_pose', 'betas')
    with torch.no_grad():
        posed = body(
            *(torch.tensor(answer[key]) for key in keys),
            torch.tensor(answer['smpl_transl']),
        ).vertices.numpy()
    off = posed - (answer['vertices'] + answer['transl'][:, None])
    distance = np.linalg.norm(off, axis=-1).mean()
    assert distance == pytest.approx(answer['fit_residual'][0], abs=1e-4)


def test_rows_are_people_and_other_columns_come_along(predictor, photo, entry):
    small = photo[::2, ::2].copy()
    answer = predictor(
        dict(
            images=[photo, small, photo],
            bboxes=[
                [entry['bbox'], [0, 0, 500, 700]],
                np.zeros((0, 4)),
                [entry['bbox']],
            ],
            name=['a', 'b', 'c'],
        )
    )
    assert answer['image_index'].tolist() == [0, 0, 2]
    assert answer['name'].tolist() == ['a', 'a', 'c']
    assert {len(value) for value in answer.values()} == {3}
    assert np.abs(answer['vertices'][0] - answer['vertices'][2]).max() < 1e-5
    none = predictor(dict(images=[photo], bboxes=[np.zeros((0, 4))]))
    assert none.keys() == answer.keys() - {'name'}
    assert none['vertices'].shape == (0, *answer['vertices'].shape[1:])


def test_it_pickles_to_its_settings_and_loads_again(predictor, photo, answer):
    assert predictor.model is not None
    data = pickle.dumps(predictor)
    assert len(data) < 2000
    copy = pickle.loads(data)
    again = copy(dict(images=[photo], bboxes=answer['bbox'], K=answer['K']))
    assert np.array_equal(again['vertices'], answer['vertices'])


def test_threads_get_their_own_answers(predictor, photo, entry):
    x1, y1, x2, y2 = entry['bbox']
    batches = [
        dict(images=[photo], bboxes=[[x1 + i % 8, y1, x2, y2 - i % 8]])
        for i in range(64)
    ]
    fresh = pickle.loads(pickle.dumps(predictor))  # Loads in the first one.
    fresh.parameters = False
    expected = [fresh(batch)['vertices'] for batch in batches[:8]]
    fresh = pickle.loads(pickle.dumps(fresh))
    with ThreadPoolExecutor(64) as pool:
        answers = list(pool.map(fresh, batches))
    for i, each in enumerate(answers):
        assert np.array_equal(each['vertices'], expected[i % 8])


@pytest.mark.parametrize(
    ('change', 'says'),
    [
        (dict(images=None), 'no images'),
        (dict(bbox=[[0, 0, 9, 9]]), "write 'bboxes'"),
        (dict(bboxes=[[0, 0, 9, 9]] * 2), '1 images, but 2 bboxes'),
        (dict(bboxes=[[900, 900, 990, 990]]), 'outside the 64x64 image'),
        (dict(bboxes=[[5, 5, 5, 5]]), 'no area'),
        (dict(bboxes=[[0, 0, np.nan, 9]]), 'not four finite'),
        (dict(images=[np.zeros((1, 1, 3), np.uint8)]), '1x1 pixels'),
        (dict(images=[np.zeros((64, 64), np.uint8)]), 'RGB'),
        (dict(images=np.zeros((64, 64, 3), np.uint8)), 'into a list'),
        (dict(K=np.zeros((3, 3))), 'no camera matrix'),
        (dict(depths=[np.ones((3, 3))]), 'size of the picture'),
        (dict(depths=[-np.ones((64, 64))]), 'negative'),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(predictor, change, says):
    batch = dict(images=[np.zeros((64, 64, 3), np.uint8)]) | change
    if batch['images'] is None:
        del batch['images']
    with pytest.raises(ValueError, match=says) as error:
        predictor(batch)
    assert '\n' not in str(error.value)
    if isinstance(error.value, BadSampleError):
        assert 'images[0]' in str(error.value)

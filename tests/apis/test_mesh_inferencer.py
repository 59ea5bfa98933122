"""From files to results, and every mistake in one line."""

import json
import resource
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmd2a.apis import MeshInferencer
from mmd2a.apis.conversions import to_human_data, to_pose_data_sample
from mmd2a.apis.result_files import write_human_data
from mmd2a.body_models import build_body, human_data_indices
from mmd2a.datasets import BadSampleError
from mmd2a.engine.checkpoint_files import CheckpointError
from mmd2a.files import UnusableFileError, read_json, read_npz
from mmd2a.geometry import project_points

pytest.importorskip('mmpose')

PHOTO = Path(__file__).parents[2] / 'docs' / 'images' / 'balancing.jpg'
BOX = [36.63, 60.69, 563.71, 758.04]


@pytest.fixture(scope='module')
def inferencer():
    return MeshInferencer(parameters=True, with_mask=True)


@pytest.fixture(scope='module')
def result(inferencer, tmp_path_factory):
    folder = tmp_path_factory.mktemp('out')
    [result] = inferencer(
        str(PHOTO),
        bboxes=[BOX, [200, 100, 560, 700, 0.5]],
        fov=50,
        return_vis=True,
        out_dir=str(folder),
    )
    return result | dict(folder=folder)


@pytest.fixture(scope='module')
def people(result):
    return result['predictions'][0]


@pytest.fixture
def small(tmp_path):
    path = tmp_path / 'small.png'
    cv2.imwrite(str(path), cv2.imread(str(PHOTO))[::4, ::4])
    return path


def test_people_are_told_by_named_fields(people):
    first, second = people
    assert first.score == 1 and second.score == 0.5
    assert first.camera_source == 'field of view'
    assert first.fov == pytest.approx(50)
    assert first.vertices.shape == (6907, 3)
    assert len(first.joint_names) == len(first.keypoints2d) == 14
    for person in people:
        seen = project_points(
            torch.tensor(person.keypoints3d + person.transl).double(),
            torch.tensor(person.K),
        )
        assert np.abs(seen.numpy() - person.keypoints2d).max() < 0.5
        mask = person.image_mask()
        assert mask.shape == person.image_size == (810, 594)
        # Where the mesh is, somebody is seen.
        mesh = project_points(
            torch.tensor(person.vertices + person.transl).double(),
            torch.tensor(person.K),
        )
        x, y = np.rint(mesh.numpy()).astype(int).T
        inside = (x >= 0) & (y >= 0) & (x < 594) & (y < 810)
        assert mask[y[inside], x[inside]].mean() > 0.5


def test_files_hold_the_same_and_nothing_is_pickled(result, people, tmp_path):
    names = sorted(file.name for file in result['files'])
    assert names == ['balancing.json', 'balancing.npz', 'balancing_mesh.jpg']
    arrays = read_npz(result['folder'] / 'predictions' / 'balancing.npz')
    assert np.array_equal(arrays['vertices'][1], people[1].vertices)
    assert arrays['faces'].max() == len(people[0].vertices) - 1
    told = read_json(result['folder'] / 'predictions' / 'balancing.json')
    assert np.allclose(told['people'][0]['transl'], people[0].transl)
    assert 'vertices' not in told['people'][0] and 'metres' in told['units']
    for ending, read in (('.npz', read_npz), ('.json', read_json)):
        path = tmp_path / f'person{ending}'
        people[0].save(path)
        assert np.allclose(read(path)['sigma'], people[0].sigma)
    with pytest.raises(UnusableFileError, match=r'end it in \.npz'):
        people[0].save(tmp_path / 'person.pkl')


def test_the_picture_shows_the_meshes(result):
    [drawn] = result['visualization']
    image = cv2.imread(str(PHOTO))[..., ::-1]
    changed = (drawn != image).any(-1)
    assert 0.1 < changed.mean() < 0.6
    saved = cv2.imread(
        str(result['folder'] / 'visualizations' / 'balancing_mesh.jpg')
    )
    assert np.abs(saved[..., ::-1].astype(int) - drawn).mean() < 3


def test_other_packages_get_their_own_forms(people, tmp_path):
    sample = to_pose_data_sample(people, str(PHOTO))
    assert sample.pred_instances.keypoints.shape == (2, 14, 2)
    assert len(to_pose_data_sample([]).pred_instances.bboxes) == 0
    data = to_human_data(people, [str(PHOTO)] * 2)
    path = tmp_path / 'people.npz'
    write_human_data(path, **data)
    written = read_npz(path, keys=['bbox_xywh', 'keypoints3d'])
    corners = np.stack([p.bbox for p in people])
    assert written['bbox_xywh'][:, 2:4] == pytest.approx(
        corners[:, 2:] - corners[:, :2], abs=1e-3
    )
    joints = written['keypoints3d'][:, human_data_indices('h36m14'), :3]
    expected = [p.keypoints3d + p.transl for p in people]
    assert joints == pytest.approx(np.stack(expected), abs=1e-5)
    smpl = data['smpl']
    with torch.no_grad():
        posed = build_body()(
            torch.tensor(smpl['global_orient']),
            torch.tensor(smpl['body_pose']).flatten(1),
            torch.tensor(smpl['betas']),
            torch.tensor(smpl['transl']),
        ).vertices.numpy()
    mesh = np.stack([p.vertices + p.transl for p in people])
    off = np.linalg.norm(posed - mesh, axis=-1).mean(1)
    assert off == pytest.approx([p.fit_residual for p in people], abs=1e-4)
    with pytest.raises(ValueError, match='one file per person'):
        to_human_data(people, ['a.jpg'])


def test_arrays_are_bgr_and_give_what_files_give(inferencer, small):
    image = cv2.imread(str(small))
    [of_file] = inferencer(str(small))
    of_arrays = list(inferencer([image, image]))
    assert len(of_arrays) == 2
    for each in of_arrays:
        assert np.allclose(
            each['predictions'][0][0].vertices,
            of_file['predictions'][0][0].vertices,
            atol=1e-5,
        )


def test_boxes_come_from_the_files_that_detectors_write(
    inferencer, small, tmp_path
):
    other = tmp_path / 'other.png'
    other.write_bytes(small.read_bytes())
    boxes = dict(
        images=[
            dict(id=7, file_name='small.png'),
            dict(id=8, file_name='x/other.png'),
        ],
        categories=[dict(id=1, name='person'), dict(id=2, name='dog')],
        annotations=[
            dict(image_id=7, category_id=1, bbox=[9, 15, 131, 175]),
            dict(image_id=7, category_id=2, bbox=[0, 0, 9, 9]),
            dict(image_id=7, category_id=1, bbox=[1, 1, 90, 9], score=0.1),
        ],
    )
    coco = tmp_path / 'boxes.json'
    coco.write_text(json.dumps(boxes))
    yolo = tmp_path / 'labels'
    yolo.mkdir()
    height, width = cv2.imread(str(small)).shape[:2]
    center = (9.5 + 65.5) / width, (15.5 + 87.5) / height
    size = 131 / width, 175 / height
    (yolo / 'small.txt').write_text(
        f'0 {center[0]} {center[1]} {size[0]} {size[1]}\n16 .5 .5 .1 .1\n'
    )
    for source in (coco, yolo):
        found = list(inferencer([str(small), str(other)], bboxes=str(source)))
        [person], nobody = (each['predictions'][0] for each in found)
        assert person.bbox == pytest.approx([9, 15, 140, 190], abs=1e-3)
        assert nobody == []


def bad_inputs(tmp_path, small):
    """Inputs, other arguments, what the one line says."""
    text = tmp_path / 'text.jpg'
    text.write_text('no picture')
    cut = tmp_path / 'cut.png'
    cut.write_bytes(small.read_bytes()[:-100])
    video = tmp_path / 'broken.mp4'
    video.write_bytes(b'\0\0\0\x20ftypisom' + bytes(1000))
    empty = tmp_path / 'empty'
    empty.mkdir()
    one = tmp_path / 'one.png'
    cv2.imwrite(str(one), np.zeros((1, 1, 3), np.uint8))
    boxes = tmp_path / 'boxes.json'
    boxes.write_text('{"images": [], "annotations": []}')
    lines = tmp_path / 'lines.txt'
    lines.write_text('0 a b c d\n')
    picture = str(small)
    yield str(tmp_path / 'absent.jpg'), {}, 'correct the path'
    yield str(text), {}, 'save it as PNG or JPEG'
    yield str(cut), {}, 'truncated'
    yield str(video), {}, 'the video cannot be read.*ffmpeg'
    yield str(empty), {}, 'holds no pictures'
    yield [], {}, 'at least one picture'
    yield 'webcam:99', {}, 'no such camera'
    yield str(one), {}, '1x1 pixels'
    yield picture, dict(bboxes=[900, 0, 990, 9]), 'outside the 149x203'
    yield picture, dict(bboxes=[[1, 2, 3]]), r'\(N, 4\)'
    yield picture, dict(bboxes=str(boxes)), 'do not know the picture small'
    yield picture, dict(bboxes=str(lines)), 'line 1 holds no box'
    yield picture, dict(bboxes=str(tmp_path / 'no.json')), 'correct the path'
    yield picture, dict(K=np.eye(4)), r'give \(3, 3\)'
    yield picture, dict(fov=190), 'less than 180'
    yield picture, dict(depths=str(tmp_path / 'no.npy')), 'correct the path'
    yield picture, dict(depths=np.ones((3, 3))), 'size of the picture'
    yield [picture, picture], dict(bboxes=[BOX]), '2 pictures, but bboxes of 1'


def test_bad_input_is_told_in_one_line_and_leaves_nothing(
    inferencer, small, tmp_path
):
    out = tmp_path / 'out'
    for inputs, others, says in bad_inputs(tmp_path, small):
        with pytest.raises(ValueError, match=says) as error:
            list(inferencer(inputs, out_dir=str(out), **others))
        assert '\n' not in str(error.value), says
        assert (
            isinstance(error.value, (UnusableFileError, BadSampleError))
            or says in (r'give \(3, 3\)', r'\(N, 4\)', 'less than 180')
            or ('2 pictures' in says)
        )
    assert not [file for file in out.rglob('*') if file.is_file()]


def test_weights_that_are_not_there_or_of_another_model():
    with pytest.raises(CheckpointError, match='there are d2a_hmr_mobilenet'):
        MeshInferencer('d2a_hmr_resnet51')
    with pytest.raises(ValueError, match='has no weights'):
        MeshInferencer('mmd2a::d2a_hmr/d2a_hmr_mobilenet-v2.py')
    with pytest.raises(CheckpointError):
        MeshInferencer(
            'mmd2a::d2a_hmr/d2a_hmr_resnet50.py',
            'mmd2a://d2a_hmr_mobilenet-v2',
        )


def test_a_full_disk_or_a_closed_folder_leaves_nothing(inferencer, small):
    for folder in ('/dev/full/out', '/proc/out'):
        with pytest.raises(OSError, match='cannot write'):
            list(inferencer(str(small), pred_out_dir=folder))


def test_a_disk_that_fills_up_leaves_whole_files(inferencer, small, tmp_path):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r'cannot write .*small\.npz'):
            list(inferencer(str(small), out_dir=tmp_path / 'out'))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    left = [file for file in (tmp_path / 'out').rglob('*') if file.is_file()]
    assert [file.name for file in left] == ['small_mesh.jpg']
    assert cv2.imread(str(left[0])) is not None


def test_memory_is_bounded_by_the_picture_not_by_the_drawing(
    inferencer, tmp_path
):
    big = np.zeros((9000, 300, 3), np.uint8)
    big[4000:4405, :297] = cv2.imread(str(PHOTO))[::2, ::2]
    [result] = inferencer(big, bboxes=[18, 4030, 282, 4379], return_vis=True)
    assert max(result['visualization'][0].shape) == 2048


def test_an_animated_gif_is_a_video(inferencer, small, tmp_path):
    image = cv2.imread(str(small))
    path = tmp_path / 'moving.gif'
    if not cv2.imwritemulti(str(path), [image, image[:, ::-1].copy()]):
        pytest.skip('this OpenCV writes no GIF')
    assert len(list(inferencer(str(path)))) == 2

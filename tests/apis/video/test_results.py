"""A video through the inferencer: people, files, smoothing."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmd2a.apis import MeshInferencer
from mmd2a.apis.picture_sources import PictureSource
from mmd2a.apis.video.smoothing import Smoothing
from mmd2a.body_models import build_body
from mmd2a.files import read_npz, write_json

pytest.importorskip('mmpose')

PHOTO = Path(__file__).parents[3] / 'docs' / 'images' / 'balancing.jpg'


@pytest.fixture(scope='module')
def inferencer():
    return MeshInferencer(parameters=True)


@pytest.fixture
def walk(tmp_path):
    """A video of six frames: the photograph, moving to the right."""
    image = cv2.imread(str(PHOTO))[:800:4, :592:4]
    path = tmp_path / 'walk.avi'
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (200, 200)
    )
    for number in range(6):
        frame = np.zeros((200, 200, 3), np.uint8)
        frame[:, 5 * number : 5 * number + 148] = image
        writer.write(frame)
    writer.release()
    boxes = [
        [9 + 5 * number, 15, 140 + 5 * number, 190] for number in range(6)
    ]
    return str(path), np.array(boxes, float)[:, None]


def test_a_video_is_read_frame_by_frame(inferencer, walk, tmp_path):
    path, boxes = walk
    frames = inferencer(path, bboxes=boxes, batch_size=2, out_dir=tmp_path)
    people = [frame['predictions'][0][0] for frame in frames]
    arrays = read_npz(tmp_path / 'predictions' / 'walk.npz')
    assert arrays['frame_number'].tolist() == [*range(6)]
    assert arrays['track_id'].tolist() == [0] * 6 and arrays['fps'] == 10
    for name in ('vertices', 'transl', 'body_pose'):
        told = np.stack([getattr(person, name) for person in people])
        assert np.array_equal(arrays[name], told)
    drawn = cv2.VideoCapture(
        str(tmp_path / 'visualizations' / 'walk_mesh.webm')
    )
    for frame in inferencer(path, bboxes=boxes, return_vis=True):
        there, shown = drawn.read()
        # Of the same frame: its mesh is where it was drawn.
        assert there
        off = shown[..., ::-1].astype(int) - frame['visualization'][0]
        assert np.abs(off).mean() < 10
    # Left in the middle, nothing of it stays.
    frames = inferencer(path, out_dir=tmp_path / 'left')
    next(frames)
    frames.close()
    assert not [f for f in (tmp_path / 'left').rglob('*') if f.is_file()]


def test_smoothing_changes_a_video_and_can_be_left_out(inferencer, walk):
    path, boxes = walk

    def run(smoothing):
        inferencer.smoothing = smoothing
        try:
            results = inferencer(path, bboxes=boxes, batch_size=4)
            return [result['predictions'][0][0] for result in results]
        finally:
            inferencer.smoothing = Smoothing()

    def jerk(people):
        meshes = [p.vertices + p.transl for p in people]
        return np.abs(np.diff(meshes, 3, axis=0)).mean()

    raw = run(None)
    images = [frame.image[..., ::-1] for frame in PictureSource(path)]
    alone = list(inferencer(images, bboxes=list(boxes)))
    for person, other in zip(raw, alone):
        [other] = other['predictions'][0]
        assert np.allclose(person.vertices, other.vertices, atol=1e-4)
        assert person.track_id == 0 and other.track_id is None
    for lookahead in (0.0, 1.0):
        smooth = run(Smoothing(lookahead=lookahead))
        assert jerk(smooth) < (0.6 if lookahead else 0.9) * jerk(raw)
    for person in smooth:
        with torch.no_grad():
            posed = build_body()(
                torch.tensor(person.global_orient)[None],
                torch.tensor(person.body_pose)[None],
                torch.tensor(person.betas)[None],
                torch.tensor(person.smpl_transl)[None],
            ).vertices[0]
        mesh = person.vertices + person.transl
        off = np.linalg.norm(posed.numpy() - mesh, axis=-1).mean()
        assert off == pytest.approx(person.fit_residual, abs=1e-5)
        assert off < 0.06


def test_boxes_of_a_file_are_of_frames_by_number(inferencer, walk, tmp_path):
    path, boxes = walk
    annotations = [
        dict(image_id=number, bbox=[x, y, right - x, bottom - y])
        for number, [[x, y, right, bottom]] in enumerate(boxes)
    ]
    file = tmp_path / 'boxes.json'
    images = [dict(id=n, file_name=f'walk_{n:06d}.jpg') for n in range(6)]
    write_json(file, dict(images=images, annotations=annotations))
    for number, frame in enumerate(inferencer(path, bboxes=str(file))):
        [person] = frame['predictions'][0]
        assert person.bbox == pytest.approx(boxes[number, 0], abs=1)

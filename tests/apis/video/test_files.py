"""Files of a video: whole or not there, and readable elsewhere."""

import io
import resource
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmd2a.apis.conversions import to_human_data
from mmd2a.apis.people_files import people_arrays, read_people
from mmd2a.apis.result_files import write_human_data
from mmd2a.apis.video.files import PeopleOfVideo, VideoFile
from mmd2a.files import UnusableFileError, read_json, read_npz

FACES = [[0, 1, 2]]


@pytest.fixture
def frames(person):
    return [
        [person(track_id=0, score=0.5 + number / 10)]
        + ([person(track_id=1)] if number == 1 else [])
        for number in range(3)
    ]


def write(folder, frames):
    file = PeopleOfVideo(folder, 'walk', 'walk.mp4', FACES, 25.0)
    for number, people in enumerate(frames):
        file.add(people, number)
    return file.finish()


def test_people_are_those_of_a_file_written_at_once(frames, tmp_path):
    json_file, npz_file = write(tmp_path, frames)
    people = [each for frame in frames for each in frame]
    arrays = read_npz(npz_file)
    assert arrays.pop('frame_number').tolist() == [0, 1, 1, 2]
    assert arrays.pop('fps') == 25
    expected = people_arrays(people, FACES)
    assert arrays.keys() == expected.keys()
    for key, value in expected.items():
        assert np.array_equal(arrays[key], value), key
        assert key == 'camera_source' or arrays[key].dtype == value.dtype
    # NumPy reads it by itself, too.
    with np.load(io.BytesIO(npz_file.read_bytes())) as opened:
        assert opened['track_id'].tolist() == [0, 0, 1, 0]
    told = read_json(json_file)
    assert told['fps'] == 25 and 'metres' in told['units']
    assert [p['frame_number'] for p in told['people']] == [0, 1, 1, 2]
    assert 'vertices' not in told['people'][0]


def test_people_come_back_from_the_file(frames, tmp_path):
    _, npz_file = write(tmp_path, frames)
    people = read_people(npz_file)
    given = [each for frame in frames for each in frame]
    assert len(people) == len(given)
    for a, b in zip(people, given):
        assert a.to_dict().keys() == b.to_dict().keys()
        assert a.image_size == b.image_size and a.score == b.score
        assert a.joint_names == b.joint_names and a.track_id == b.track_id
        assert np.array_equal(a.vertices, b.vertices)
    # And on to where MMHuman3D reads them.
    from mmd2a.body_models import joint_names

    of_set = [
        replace(
            each,
            joint_names=joint_names('h36m14'),
            keypoints2d=np.zeros((14, 2)),
            keypoints3d=np.zeros((14, 3)),
        )
        for each in people
    ]
    write_human_data(
        tmp_path / 'human.npz', **to_human_data(of_set, ['a.jpg'] * 4)
    )
    assert (
        len(read_npz(tmp_path / 'human.npz', ['bbox_xywh'])['bbox_xywh']) == 4
    )


def test_a_video_without_anybody_has_files_that_say_so(tmp_path):
    json_file, npz_file = write(tmp_path, [[], []])
    assert read_json(json_file)['people'] == []
    assert read_people(npz_file) == []


def test_another_file_is_no_people(tmp_path):
    np.savez(tmp_path / 'other.npz', bbox=np.zeros((1, 4)))
    with pytest.raises(UnusableFileError, match='lacks K, camera.*mmd2a'):
        read_people(tmp_path / 'other.npz')


def test_until_the_end_there_is_nothing(frames, tmp_path):
    file = PeopleOfVideo(tmp_path, 'walk', 'walk.mp4', FACES, 25.0)
    file.add(frames[0], 0)
    file.discard()
    video = VideoFile(tmp_path / 'walk_mesh.webm', 25.0)
    video.add(np.zeros((64, 64, 3), np.uint8))
    video.discard()
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_in_one_line_and_leaves_nothing(person, tmp_path):
    rng = np.random.default_rng(0)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        file = PeopleOfVideo(tmp_path, 'walk', 'walk.mp4', FACES, 25.0)
        with pytest.raises(OSError, match=r'cannot write .*walk.*\. Free'):
            for number in range(2000):
                vertices = rng.normal(size=(40, 3)).astype(np.float32)
                file.add([person(vertices=vertices)], number)
            file.finish()
        file.discard()
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        video = VideoFile(tmp_path / 'noise.webm', 25.0)
        for _ in range(40):
            video.add(rng.integers(256, size=(128, 128, 3), dtype=np.uint8))
        with pytest.raises(OSError, match=r'of 40 frames.*Free'):
            video.finish()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(tmp_path.iterdir())


def test_the_video_shows_what_was_drawn(tmp_path, capfd):
    photo = Path(__file__).parents[3] / 'docs' / 'images' / 'balancing.jpg'
    image = cv2.imread(str(photo))[:320:2, :320:2, ::-1]
    frames = [np.roll(image, 4 * number, 1) for number in range(12)]
    path = tmp_path / 'walk.webm'
    video = VideoFile(path, 24.0)
    for frame in frames:
        video.add(frame)
    video.finish()
    assert capfd.readouterr().err == ''
    # The head of Matroska, and its kind that browsers play.
    head = path.read_bytes()[:64]
    assert head[:4] == b'\x1a\x45\xdf\xa3' and b'webm' in head
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(24)
    for frame in frames:
        there, shown = capture.read()
        assert there
        assert np.abs(shown[..., ::-1].astype(int) - frame).mean() < 8
    assert not capture.read()[0]

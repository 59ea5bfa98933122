"""What predict wrote is read; what is no result is told in one line."""

import json
import re

import numpy as np
import pytest

from mmd2a.files import UnusableFileError, read_npz
from mmd2a.viewer import read_results


@pytest.mark.parametrize('suffix', ['.json', '.npz', '.glb'])
def test_a_picture_is_named_by_any_of_its_files(results, suffix):
    people = [results.person(), results.person(transl=(-0.5, 0, 4))]
    json_file = results.write(people)
    sequence = read_results(json_file.with_suffix(suffix))
    assert sequence.title == 'photo.png' and not sequence.is_video
    assert sequence.person.tolist() == [0, 1]
    assert sequence.frame.tolist() == [0, 0]
    assert np.array_equal(sequence.vertices[1], people[1].vertices)
    assert np.array_equal(sequence.transl[1], people[1].transl)
    assert np.array_equal(sequence.sigma[0], people[0].sigma)
    assert np.array_equal(sequence.faces, results.faces)


def test_a_folder_is_in_the_order_that_people_count_in(results):
    for number in (10, 9, 2):
        results.write([results.person(0.1 * number)], f'frame{number}')
    results.write([], 'frame3')
    sequence = read_results(results.folder / 'out')
    assert [frame.name for frame in sequence.frames] == [
        'frame2.png',
        'frame3.png',
        'frame9.png',
        'frame10.png',
    ]
    assert sequence.frame.tolist() == [0, 2, 3]
    assert sequence.title == 'out'


def test_a_video_keeps_frames_without_anybody(results):
    sequence = read_results(results.video(6, absent=(0, 3)))
    assert sequence.is_video and len(sequence.frames) == 6
    assert sequence.frame.tolist() == [1, 2, 4, 5]
    thinned = sequence.thinned(2)
    assert [frame.number for frame in thinned.frames] == [0, 2, 4]
    assert thinned.frame.tolist() == [1, 2]
    assert np.array_equal(thinned.vertices[1], sequence.vertices[2])


def test_models_that_do_not_tell_sigma_are_shown_without(results):
    json_file = results.write([results.person(sigma=False)])
    assert read_results(json_file).sigma is None


def test_a_path_of_another_system_has_a_name(results):
    json_file = results.write([results.person()], path='C:\\pictures\\a b.jpg')
    assert read_results(json_file).title == 'a b.jpg'


def test_frames_of_two_people_are_counted_apart(results):
    people = [results.person(0.1 * i) for i in range(4)]
    path = results.write(people, 'clip', 'clip.mp4', [0, 0, 2, 2])
    sequence = read_results(path)
    assert sequence.person.tolist() == [0, 1, 0, 1]


def test_people_of_a_video_are_known_by_their_track(results):
    people = [results.person(0.1 * i) for i in range(4)]
    path = results.write(people, 'clip', 'clip.mp4', [0, 0, 1, 2])
    arrays = read_npz(path.with_suffix('.npz'))
    tracks = np.array([7, 3, 3, 9])
    np.savez(path.with_suffix('.npz'), **arrays, track_id=tracks)
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | dict(fps=12.5)))
    sequence = read_results(path)
    assert sequence.person.tolist() == [7, 3, 3, 9]
    assert sequence.fps == 12.5 and sequence.thinned(2).fps == 12.5
    tracks[0] = 3
    np.savez(path.with_suffix('.npz'), **arrays, track_id=tracks)
    with pytest.raises(UnusableFileError, match='twice in a frame'):
        read_results(path)


def damaged(results, **changes):
    """A result whose arrays are others."""
    path = results.write([results.person()]).with_suffix('.npz')
    np.savez(path, **(read_npz(path) | changes))
    return path


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        (dict(faces=np.array([[0, 1, 6907]])), 'vertices that are not there'),
        (dict(faces=np.zeros((0, 3), int)), 'vertices that are not there'),
        (dict(vertices=np.zeros((2, 6907, 3))), 'should have vertices'),
        (dict(transl=np.full((1, 3), np.nan)), 'not finite'),
        (dict(K=np.eye(3)), 'should have K'),
        (dict(sigma=np.zeros((1, 5))), 'should have sigma'),
        (dict(image_size=np.array([[-1, 5]])), 'image_size'),
        (dict(frame_number=np.array([10**9])), 'frames that no video has'),
        (dict(frame_number=np.array([-1])), 'frames that no video has'),
    ],
)
def test_a_damaged_result_is_refused(results, changes, says):
    with pytest.raises(UnusableFileError, match=re.escape(says)) as error:
        read_results(damaged(results, **changes))
    assert '\n' not in str(error.value) and 'To fix' in str(error.value)


def test_objects_in_a_result_are_not_run(results):
    path = damaged(results)
    np.savez(path, faces=np.array([print], object))
    with pytest.raises(UnusableFileError, match='pickled objects'):
        read_results(path)


@pytest.mark.parametrize(
    ('content', 'says'),
    [
        ('{}', 'no result'),
        ('{"image_path": 3, "people": []}', 'no result'),
        ('{"image_path": "a.jpg", "people": {}}', 'no result'),
        ('[]', 'photo.json'),
        ('{', 'photo.json'),
    ],
)
def test_json_of_something_else_is_refused(results, content, says):
    path = results.write([results.person()])
    path.write_text(content)
    with pytest.raises(UnusableFileError, match=says):
        read_results(path)


def test_a_result_lacks_neither_file_nor_people(results):
    path = results.write([])
    with pytest.raises(UnusableFileError, match='nobody'):
        read_results(path)
    path.with_suffix('.npz').unlink()
    with pytest.raises(UnusableFileError, match='photo.npz'):
        read_results(path)
    with pytest.raises(UnusableFileError, match='holds no result'):
        read_results(path.parent)
    with pytest.raises(UnusableFileError, match='no result of mmd2a predict'):
        read_results(results.picture())


def test_a_folder_holds_what_goes_together(results):
    results.video()
    results.write([results.person()])
    with pytest.raises(UnusableFileError, match=r'name one .*clip\.json'):
        read_results(results.folder / 'out')


def test_bodies_of_a_folder_are_the_same(results):
    results.write([results.person()], 'a')
    path = results.write([results.person()], 'b').with_suffix('.npz')
    arrays = read_npz(path)
    np.savez(path, **(arrays | dict(faces=arrays['faces'][1:])))
    with pytest.raises(UnusableFileError, match='different bodies'):
        read_results(path.parent)


def test_json_and_arrays_agree(results):
    path = results.write([results.person()])
    content = json.loads(path.read_text())
    content['people'] *= 2
    path.write_text(json.dumps(content))
    with pytest.raises(UnusableFileError, match='should have vertices'):
        read_results(path)

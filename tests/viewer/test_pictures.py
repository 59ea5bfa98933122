"""Pictures are found where they are, and are those of the result."""

import base64

import cv2
import numpy as np
import pytest

from mmd2a.files import UnusableFileError
from mmd2a.viewer import read_results
from mmd2a.viewer.pictures import find_source, page_pictures, picture_side

HEIGHT, WIDTH = 360, 480  # of pictures of the fixture


def decoded(address):
    kind, data = address.split(',')
    assert kind == 'data:image/webp;base64'
    return cv2.imdecode(
        np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR
    )


def test_a_picture_is_looked_for_where_it_was_and_beside_the_result(tmp_path):
    was = tmp_path / 'photos' / 'a.jpg'
    out = tmp_path / 'out'
    out.mkdir()
    assert find_source(str(was), out) is None
    (out / 'a.jpg').touch()
    assert find_source(str(was), out) == out / 'a.jpg'
    was.parent.mkdir()
    was.touch()
    assert find_source(str(was), out) == was
    assert find_source('C:\\photos\\a.jpg', out) == out / 'a.jpg'


def test_what_is_given_comes_first_and_must_be_there(tmp_path):
    (tmp_path / 'a.jpg').touch()
    (tmp_path / 'b.jpg').touch()
    was = str(tmp_path / 'a.jpg')
    assert find_source(was, tmp_path, tmp_path / 'b.jpg').name == 'b.jpg'
    assert find_source(was, tmp_path, tmp_path).name == 'a.jpg'
    with pytest.raises(UnusableFileError, match='correct --pictures'):
        find_source(was, tmp_path, tmp_path / 'c.jpg')
    with pytest.raises(UnusableFileError, match='d.jpg'):
        find_source('x/d.jpg', tmp_path, tmp_path)


@pytest.mark.parametrize('path', ['http://a.example/b.jpg', 'a\0b.jpg', ''])
def test_addresses_and_impossible_names_lead_nowhere(tmp_path, path):
    assert find_source(path, tmp_path) is None


def test_a_picture_is_made_smaller_and_keeps_its_colours(results):
    sequence = read_results(results.write([results.person()]))
    large = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    large[:, : WIDTH // 2] = (200, 30, 60)
    cv2.imwrite(str(results.folder / 'photo.png'), large)
    [address], [size] = page_pictures(sequence, [results.folder / 'photo.png'])
    assert size == (HEIGHT, WIDTH)
    seen = decoded(address)
    assert seen.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(seen.astype(int) - large).mean() < 3
    assert picture_side(1) == 1600 > picture_side(50) > picture_side(200)


def test_many_pictures_are_smaller(results):
    path = results.picture('big.png')
    cv2.imwrite(str(path), np.zeros((1200, 3200, 3), np.uint8))
    people = results.write([], 'photo', path)
    results.write([results.person()], 'other')
    sequence = read_results(people.parent)
    told, sizes = page_pictures(sequence, [None, path])
    assert told[0] is None and sizes == [(HEIGHT, WIDTH), (1200, 3200)]
    assert decoded(told[1]).shape == (600, 1600, 3)


def test_frames_of_a_video_are_its_own(results):
    sequence = read_results(results.video(6, absent=(1,))).thinned(2)
    told, sizes = page_pictures(sequence, [results.folder / 'clip.avi'] * 3)
    greens = [decoded(address)[..., 1].mean() for address in told]
    assert np.allclose(greens, [255, 215, 175], atol=6)
    assert sizes == [(HEIGHT, WIDTH)] * 3


def test_a_video_that_is_shorter_than_the_result_leaves_gaps(results):
    sequence = read_results(results.video(6))
    results.video(4, stem='short')
    told, _ = page_pictures(sequence, [results.folder / 'short.avi'] * 6)
    assert [address is None for address in told] == [False] * 4 + [True] * 2


def test_another_picture_is_refused(results):
    sequence = read_results(results.write([results.person()]))
    path = results.picture('wrong.png')
    cv2.imwrite(str(path), np.zeros((30, 40, 3), np.uint8))
    with pytest.raises(UnusableFileError, match='is 40x30.* was 480x360'):
        page_pictures(sequence, [path])

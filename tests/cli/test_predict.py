"""Whatever is wrong is one line that names the mend; nothing is half there."""

import json
import pickle
import re
import resource
import signal
import struct
import sys
import warnings
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmd2a.cli.main import main
from mmd2a.files import read_json, read_npz
from mmd2a.weights import find_weights

pytest.importorskip('mmpose')

ROOT = Path(__file__).parents[2]
PHOTO = ROOT / 'docs' / 'images' / 'balancing.jpg'
CONFIG = ROOT / 'configs' / 'd2a_hmr' / 'd2a_hmr_mobilenet-v2.py'
OTHER_CONFIG = ROOT / 'configs' / 'd2a_hmr_hrnet.py'
FILES_OF_A_PICTURE = ['.glb', '.json', '.npz', '_mesh.jpg']


@pytest.fixture
def command(tmp_path, monkeypatch, capfd):
    """Run the command; its exit code and what it said, line by line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'warnoptions', [])
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
    handlers = [signal.getsignal(number) for number in numbers]

    def run(*arguments):
        code = 0
        with warnings.catch_warnings():
            try:
                main(['predict', *map(str, arguments)])
            except SystemExit as left:
                code = left.code
        said = capfd.readouterr()
        err = said.err.splitlines()
        if isinstance(code, str):  # Python writes it, and leaves with 1.
            code, err = 1, [*err, *code.splitlines()]
        return code, said.out.splitlines(), err

    yield run
    for number, handler in zip(numbers, handlers):
        signal.signal(number, handler)


@pytest.fixture
def small(tmp_path):
    path = tmp_path / 'small.png'
    cv2.imwrite(str(path), cv2.imread(str(PHOTO))[::4, ::4])
    return path


def written(tmp_path):
    """Names of all files in the folder of results, hidden ones too."""
    return sorted(
        path.name for path in (tmp_path / 'out').rglob('*') if path.is_file()
    )


def files_of(*stems):
    return sorted(stem + end for stem in stems for end in FILES_OF_A_PICTURE)


def no_picture(path):
    path.write_text('no picture')


def cut_off(path):
    _, data = cv2.imencode('.png', np.zeros((64, 64, 3), np.uint8))
    path.write_bytes(data[:-40].tobytes())


def one_pixel(path):
    cv2.imwrite(str(path), np.zeros((1, 1, 3), np.uint8))


def far_too_big(path):
    size = struct.pack('<ii', 40_000, 40_000)
    path.write_bytes(b'BM' + bytes(12) + struct.pack('<i', 40) + size)


PICTURES = {
    'text.jpg': (no_picture, 'save it as PNG or JPEG'),
    'empty.png': (Path.touch, 'the file is empty.*To fix: replace the file'),
    'cut.png': (cut_off, 'truncated.*To fix: replace the file'),
    'one.png': (one_pixel, '1x1 pixels.*To fix: give a picture'),
    'bomb.bmp': (far_too_big, '40000x40000 pixels.*To fix: save it smaller'),
}


@pytest.mark.parametrize('name', PICTURES)
def test_a_bad_picture_is_told_in_one_line(name, command, tmp_path):
    make, says = PICTURES[name]
    make(tmp_path / name)
    code, out, [line] = command(tmp_path / name, '--out', 'out')
    assert (code, out) == (1, [])
    assert line.startswith('error: ') and name in line
    assert re.search(says, line)
    assert written(tmp_path) == []


def test_bad_pictures_of_a_folder_are_told_and_left_out(
    command, small, tmp_path
):
    folder = tmp_path / 'pictures'
    folder.mkdir()
    for name, (make, _) in PICTURES.items():
        make(folder / name)
    (folder / 'folder.png').mkdir()
    for name in ('a.png', 'z.png'):
        (folder / name).write_bytes(small.read_bytes())
    code, out, err = command(folder, '--out', 'out', '--fov', 60)
    assert code == 3
    *lines, last = err
    for name, says in (
        *((name, says) for name, (_, says) in PICTURES.items()),
        ('folder.png', 'this is a folder.*To fix: give a regular file'),
    ):
        [line] = [line for line in lines if name in line]
        assert line.startswith('left out: ') and re.search(says, line)
    assert len(lines) == len(PICTURES) + 1
    assert last == '6 pictures were left out of 8, see above'
    assert '2 people in 2 pictures, in out' in out
    assert written(tmp_path) == files_of('a', 'z')


def test_a_picture_is_left_out_for_its_box_alone(command, small, tmp_path):
    """Boxes go into the network together, and one of them is wrong."""
    names = ('a.png', 'b.png', 'c.png')
    for name in names:
        (tmp_path / name).write_bytes(small.read_bytes())
    boxes = [[9, 15, 131, 175], [900, 0, 90, 90], [9, 15, 131, 175]]
    coco = tmp_path / 'boxes.json'
    coco.write_text(
        json.dumps(
            dict(
                images=[
                    dict(id=i, file_name=name) for i, name in enumerate(names)
                ],
                annotations=[
                    dict(image_id=i, bbox=box) for i, box in enumerate(boxes)
                ],
            )
        )
    )
    code, _, err = command(*names, '--boxes', coco, '--out', 'out')
    assert code == 3
    assert re.search(r'^left out: .*outside the 149x203.*b\.png', err[0])
    assert written(tmp_path) == files_of('a', 'c')


def test_nothing_but_bad_pictures_is_an_error(command, tmp_path):
    for name in ('a.jpg', 'b.jpg'):
        no_picture(tmp_path / name)
    code, out, err = command('a.jpg', 'b.jpg', '--out', 'out')
    assert (code, out, len(err)) == (1, [], 3)
    assert err[-1] == 'error: none of the pictures could be used, see above'
    assert written(tmp_path) == []


def test_nobody_in_a_picture_is_no_error(command, small, tmp_path):
    boxes = tmp_path / 'boxes.json'
    boxes.write_text(
        json.dumps(
            dict(images=[dict(id=1, file_name='small.png')], annotations=[])
        )
    )
    code, out, err = command(small, '--boxes', boxes, '--out', 'out')
    assert (code, out[0], err) == (0, 'out/small: nobody', [])
    assert written(tmp_path) == ['small.json', 'small.npz', 'small_mesh.jpg']
    assert read_json(tmp_path / 'out' / 'small.json')['people'] == []
    assert read_npz(tmp_path / 'out' / 'small.npz')['bbox'].shape == (0, 4)


def empty_folder(tmp_path):
    (tmp_path / 'empty').mkdir()
    return ['empty']


def broken_video(tmp_path):
    head = b'\0\0\0\x20ftypisom'
    (tmp_path / 'broken.mp4').write_bytes(head + bytes(1000))
    return ['broken.mp4']


def cut_video(tmp_path):
    path = tmp_path / 'cut.avi'
    frame = np.zeros((64, 64, 3), np.uint8)
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (64, 64)
    )
    writer.write(frame)
    writer.release()
    path.write_bytes(path.read_bytes()[:64])
    return ['cut.avi']


def box_outside(tmp_path):
    return ['small.png', '--bbox', 900, 0, 990, 90]


def box_turned_over(tmp_path):
    return ['small.png', '--bbox', 90, 90, 10, 10]


def no_weights(tmp_path):
    return ['small.png', '--model', CONFIG, '--weights', 'absent.pth']


def weights_that_are_none(tmp_path):
    no_picture(tmp_path / 'text.pth')
    return ['small.png', '--model', CONFIG, '--weights', 'text.pth']


def weights_that_run_code(tmp_path):
    class Evil:
        def __reduce__(self):
            return Path.touch, (tmp_path / 'ran',)

    (tmp_path / 'evil.pth').write_bytes(pickle.dumps(Evil()))
    return ['small.png', '--model', CONFIG, '--weights', 'evil.pth']


def weights_of_nothing(tmp_path):
    torch.save(dict(state_dict={}), tmp_path / 'nothing.pth')
    return ['small.png', '--model', CONFIG, '--weights', 'nothing.pth']


def weights_that_are_cut(tmp_path):
    _, whole = find_weights('d2a_hmr_mobilenet-v2')
    (tmp_path / 'cut.safetensors').write_bytes(whole.read_bytes()[:99_999])
    return ['small.png', '--model', CONFIG, '--weights', 'cut.safetensors']


def weights_of_another_config(tmp_path):
    weights = 'mmd2a://d2a_hmr_mobilenet-v2'
    return ['small.png', '--model', OTHER_CONFIG, '--weights', weights]


def a_part_as_the_model(tmp_path):
    return ['small.png', '--model', 'mobilenet-v2-imagenet']


def closed_folder(tmp_path):
    return ['small.png', '--out', '/proc/out']


def full_device(tmp_path):
    return ['small.png', '--out', '/dev/full/out']


def no_detector(tmp_path):
    return ['small.png', '--detector', 'absent_detector']


MISTAKES = {
    empty_folder: 'holds no pictures.*To fix: name a folder with',
    broken_video: 'the video cannot be read.*To fix: convert it',
    cut_video: 'the video cannot be read.*To fix: convert it',
    box_outside: 'outside the 149x203.*To fix: ',
    box_turned_over: 'To fix: ',
    no_weights: 'there is no checkpoint absent.pth',
    weights_that_are_none: 'text.pth.*',
    weights_that_run_code: 'evil.pth.*',
    weights_of_nothing: 'nothing.pth.*',
    weights_that_are_cut: 'cut.safetensors.*',
    weights_of_another_config: 'd2a_hmr_mobilenet-v2.*made with',
    a_part_as_the_model: 'are initial weights.*name a whole model',
    closed_folder: 'cannot|can be written',
    full_device: 'can be written',
    no_detector: 'name another, or give bboxes',
}


@pytest.mark.parametrize('mistake', MISTAKES, ids=lambda make: make.__name__)
def test_a_mistake_is_told_in_one_line(mistake, command, small, tmp_path):
    code, out, err = command('--out', 'out', *mistake(tmp_path))
    assert (code, out, len(err)) == (1, [], 1), err
    assert re.search(MISTAKES[mistake], err[0])
    assert written(tmp_path) == [] and not (tmp_path / 'ran').exists()


@pytest.mark.parametrize('room', [100, 60_000, 200_000])
def test_a_disk_that_fills_up_leaves_whole_files(
    room, command, small, tmp_path
):
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        code, out, err = command(small, '--out', 'out')
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (code, out, len(err)) == (1, [], 1)
    assert re.search('cannot write .*out/small|Free some space', err[0])
    left = written(tmp_path)
    assert set(left) < {*files_of('small')}
    if 'small_mesh.jpg' in left:
        drawn = cv2.imread(str(tmp_path / 'out' / 'small_mesh.jpg'))
        assert drawn.shape == (203, 149, 3)
    if 'small.npz' in left:
        assert read_npz(tmp_path / 'out' / 'small.npz')['vertices'].size


def test_an_animated_gif_is_a_video_alone_and_a_picture_in_a_folder(
    command, small, tmp_path
):
    image = cv2.imread(str(small))
    folder = tmp_path / 'pictures'
    folder.mkdir()
    path = folder / 'moving.gif'
    if not cv2.imwritemulti(str(path), [image, image[:, ::-1].copy()]):
        pytest.skip('this OpenCV writes no GIF')
    code, _, err = command(path, '--out', 'out')
    assert (code, err) == (0, [])
    assert written(tmp_path) == [
        'moving.json',
        'moving.npz',
        'moving_mesh.webm',
    ]
    assert command(folder, '--out', 'out')[0] == 0
    assert 'moving_mesh.jpg' in written(tmp_path)

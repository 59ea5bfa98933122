"""Many calls at once, and a picture of the size that scanners make."""

import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmd2a.apis import MeshInferencer

pytest.importorskip('mmpose')

PHOTO = Path(__file__).parents[2] / 'docs' / 'images' / 'balancing.jpg'


def test_64_calls_at_once_are_64_calls_one_after_the_other():
    inferencer = MeshInferencer()
    image = cv2.imread(str(PHOTO))[::4, ::4]
    pictures = [np.roll(image, step, 1) for step in range(64)]
    boxes = [[9 + i % 7, 15, 140, 190 - i % 5] for i in range(64)]

    def call(index):
        [result] = inferencer(pictures[index], bboxes=boxes[index])
        [person] = result['predictions'][0]
        return person.to_dict()

    alone = [call(index) for index in range(64)]
    together = threading.Barrier(64)

    def call_together(index):
        together.wait()
        return call(index)

    with ThreadPoolExecutor(64) as pool:
        for one, other in zip(alone, pool.map(call_together, range(64))):
            for key, value in one.items():
                assert np.array_equal(value, other[key]), key
    # And they differ, so that a mix-up would show.
    assert len({one['vertices'].tobytes() for one in alone}) == 64


def test_a_picture_of_12_000_pixels_takes_memory_for_itself_alone(tmp_path):
    code = (
        'import resource, sys, cv2, numpy as np\n'
        'from mmd2a.apis import MeshInferencer\n'
        'infer, path = MeshInferencer(), sys.argv[1]\n'
        'small = cv2.imread(sys.argv[2])\n'
        'def peak():\n'
        '    use = resource.getrusage(resource.RUSAGE_SELF)\n'
        '    return use.ru_maxrss * 1024\n'
        'list(infer(small, return_vis=True))\n'
        'before = peak()\n'
        '[result] = infer(path, return_vis=True)\n'
        'print(peak() - before, result["visualization"][0].shape)\n'
    )
    path = tmp_path / 'big.jpg'
    big = np.zeros((12_000, 12_000, 3), np.uint8)
    big[4000:4810, 6000:6594] = cv2.imread(str(PHOTO))
    cv2.imwrite(str(path), big)
    del big
    done = subprocess.run(
        [sys.executable, '-c', code, str(path), str(PHOTO)],
        capture_output=True,
        text=True,
        check=True,
    )
    growth, *shape = done.stdout.split(' ', 1)
    assert shape == ['(2048, 2048, 3)\n']
    # Less than twice its own bytes: one copy, and what is drawn.
    assert int(growth) < 2 * 12_000**2 * 3

"""Results as ``mmd2a predict`` writes them, of bodies that are posed here."""

import base64
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmd2a.apis.people_files import write_people
from mmd2a.apis.person_mesh import PersonMesh

HEIGHT, WIDTH = 360, 480
#: A camera that no default can be mistaken for.
K = np.array([[520.0, 0, 251.3], [0, 505.0, 170.9], [0, 0, 1]])
#: Of the halves of a body, m.
SIGMA = (0.01, 0.05)


class Results:
    """Makes results below a folder."""

    def __init__(self, folder: Path, body) -> None:
        self.folder = folder
        self.body = body
        self.faces = body.faces.numpy()

    def person(self, arm=0.0, transl=(0.1, 0.0, 3.0), sigma=True):
        """Upright, the left arm turned by an angle, radians."""
        pose = torch.zeros(1, 69)
        pose[0, 3 * 15 + 2] = arm
        posed = self.body(
            torch.tensor([[torch.pi, 0, 0]]), pose, torch.zeros(1, 10)
        )
        root = posed.joints[0, 0]
        vertices = (posed.vertices[0] - root).numpy()
        joints = (posed.joints[0] - root).numpy()
        return PersonMesh(
            vertices=vertices,
            keypoints3d=joints,
            keypoints2d=np.zeros((24, 2)),
            joint_names=tuple(map(str, range(24))),
            transl=np.array(transl, np.float32),
            camera=np.ones(3),
            K=K,
            camera_source='given',
            bbox=np.array([0.0, 0, WIDTH, HEIGHT]),
            score=1.0,
            crop_matrix=np.eye(3)[:2],
            crop_size=(HEIGHT, WIDTH),
            image_size=(HEIGHT, WIDTH),
            sigma=np.where(vertices[:, 0] < 0, *SIGMA) if sigma else None,
        )

    def picture(self, name='photo.png', color=(0, 255, 0)):
        """One colour, so that whatever else is seen is mesh."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        image = np.full((HEIGHT, WIDTH, 3), color, np.uint8)
        assert cv2.imwrite(str(path), image)
        return path

    def write(self, people, stem='photo', path=None, numbers=None):
        """The two files of a result; the path of the JSON."""
        path = str(self.picture(f'{stem}.png') if path is None else path)
        write_people(
            self.folder / 'out', stem, people, path, self.faces, numbers
        )
        return self.folder / 'out' / f'{stem}.json'

    def video(self, count=6, absent=(), stem='clip'):
        """One person of a video, who is not in all frames."""
        path = self.folder / f'{stem}.avi'
        writer = cv2.VideoWriter(
            str(path), cv2.VideoWriter.fourcc(*'MJPG'), 10, (WIDTH, HEIGHT)
        )
        for number in range(count):
            green = (0, 255 - 20 * number, 0)
            writer.write(np.full((HEIGHT, WIDTH, 3), green, np.uint8))
        writer.release()
        there = [i for i in range(count) if i not in absent]
        people = [self.person(-1.2 * i / count) for i in there]
        return self.write(people, stem, path, there)


@pytest.fixture
def results(tmp_path, body):
    """Maker of results in a folder of the test."""
    return Results(tmp_path, body)


@pytest.fixture
def unpacked():
    """The reader of packed numbers, as the docstring of ``pack`` has it."""
    return _unpacked


def _unpacked(packed):
    """Read it as the docstring says, number by number."""
    dtype = np.dtype(packed['type'])
    data = zlib.decompress(base64.b64decode(packed['data']))
    count = len(data) // dtype.itemsize
    numbers: list[int] = []
    for i in range(count):
        coded = sum(
            data[i + byte * count] << 8 * byte
            for byte in range(dtype.itemsize)
        )
        change = coded // 2 if coded % 2 == 0 else -(coded + 1) // 2
        before = numbers[i - packed['row']] if i >= packed['row'] else 0
        numbers.append((before + change) % 256**dtype.itemsize)
    return np.array(numbers, f'u{dtype.itemsize}').view(dtype)

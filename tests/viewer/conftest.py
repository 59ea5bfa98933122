"""Results as ``mmd2a predict`` writes them, and a browser for their pages.

Bodies are posed here. Chromium has no window and draws by software.
"""

import base64
import os
import shutil
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mmd2a.apis.people_files import write_people
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.files import read_npz
from mmd2a.viewer import read_results, write_page
from mmd2a.visualization import mesh_overlay

HEIGHT, WIDTH = 360, 480
#: A camera that no default can be mistaken for.
K = np.array([[520.0, 0, 251.3], [0, 505.0, 170.9], [0, 0, 1]])
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
SCREEN = dict(width=1100, height=640)
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
        out = self.folder / 'out'
        write_people(out, stem, people, path, self.faces)
        if numbers is not None:
            arrays = read_npz(out / f'{stem}.npz')
            np.savez(out / f'{stem}.npz', **arrays, frame_number=numbers)
        return out / f'{stem}.json'

    def page(self, source, **kwargs):
        """The page of a result."""
        path = self.folder / 'page.html'
        write_page(path, read_results(source), **kwargs)
        return path

    def drawn(self, person):
        """The silhouette that this package draws over the picture."""
        green = np.full((HEIGHT, WIDTH, 3), (0, 255, 0), np.uint8)
        mesh = person.vertices + person.transl
        seen = mesh_overlay(green, mesh, self.faces, person.K, alpha=1)
        return Shown.silhouette(seen.astype(int))

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


def find_chromium(playwright):
    """Of MMD2A_CHROMIUM, of the system, or playwright's own."""
    named = os.environ.get('MMD2A_CHROMIUM')
    own = playwright.chromium.executable_path
    found = [named, *map(shutil.which, NAMES), own]
    return next((path for path in found if path and Path(path).exists()), None)


@pytest.fixture(scope='session')
def playwright():
    api = pytest.importorskip('playwright.sync_api')
    with api.sync_playwright() as started:
        yield started


@pytest.fixture(scope='session')
def launch(playwright):
    path = find_chromium(playwright)
    if path is None:
        pytest.skip(
            'no Chromium: apt-get install chromium (Debian), or name one '
            'with MMD2A_CHROMIUM'
        )
    started = []

    def start(*arguments):
        started.append(
            playwright.chromium.launch(
                executable_path=path,
                args=[
                    '--no-sandbox',
                    '--enable-unsafe-swiftshader',
                    *arguments,
                ],
            )
        )
        return started[-1]

    yield start
    for browser in started:
        browser.close()


@pytest.fixture(scope='session')
def browser(launch):
    return launch()


class Shown:
    """A page that is open in a browser, and what has come up."""

    @staticmethod
    def silhouette(image):
        """Where something covers the green of the picture."""
        return image[..., 1] - image[..., [0, 2]].max(-1) < 60

    @staticmethod
    def change(one, other):
        """Largest difference of two stages, but for the mark of the focus."""
        return np.abs(one - other)[8:-8, 8:-8].max()

    @staticmethod
    def overlap(one, other):
        """Intersection over union of two silhouettes."""
        return (one & other).sum() / (one | other).sum()

    def __init__(self, browser, path, **settings):
        self.context = browser.new_context(
            **{'viewport': SCREEN, 'offline': True} | settings
        )
        self.page = self.context.new_page()
        self.errors, self.requests = [], []
        self.page.on(
            'console',
            lambda m: m.type == 'error' and self.errors.append(m.text),
        )
        self.page.on('pageerror', lambda e: self.errors.append(str(e)))
        self.page.on('dialog', lambda d: self.errors.append(d.message))
        self.page.on('request', lambda r: self.requests.append(r.url))
        self.page.goto(Path(path).as_uri())

    def ready(self):
        self.page.wait_for_selector('#notice', state='hidden')
        return self.rested()

    def rested(self):
        """Once what was done is drawn with all pixels, and on the screen."""
        two_pictures = """() => new Promise((done) => requestAnimationFrame(
          () => requestAnimationFrame(done)))"""
        self.page.evaluate(two_pictures)
        self.page.wait_for_selector('#stage[aria-busy=false]')
        self.page.evaluate(two_pictures)
        return self

    def stage(self):
        """What is seen of picture and mesh: (H, W, 3) RGB."""
        data = self.page.locator('#stage').screenshot()
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        return image[..., ::-1].astype(int)

    def photo(self):
        """The part of the stage where the picture lies, at its size."""
        box = self.page.locator('#photo img').bounding_box()
        image = self.stage()
        scale = (
            image.shape[1]
            / self.page.locator('#stage').bounding_box()['width']
        )
        left, top, width, height = (
            round(scale * box[key]) for key in ('x', 'y', 'width', 'height')
        )
        part = image[top : top + height, left : left + width].astype(np.uint8)
        return cv2.resize(part, (480, 360)).astype(int)

    def press(self, *keys):
        self.page.locator('#mesh').focus()
        for key in keys:
            self.page.keyboard.press(key)
        return self.rested()

    def frame(self, number):
        self.page.get_by_label('Frame', exact=True).fill(str(number))
        return self.rested()


@pytest.fixture
def show(browser):
    opened = []

    def show(path, browser=browser, **settings):
        opened.append(Shown(browser, path, **settings))
        return opened[-1]

    yield show
    for shown in opened:
        shown.context.close()

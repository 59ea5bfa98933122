"""The page in a real browser: Chromium without a window, drawing by software.

Opened from file://, without a network. What is seen is compared with what
this package draws itself.
"""

import http.server
import os
import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmd2a.viewer import read_results, write_page
from mmd2a.visualization import mesh_overlay

pytestmark = pytest.mark.slow
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'chrome')
SIZE = dict(width=1100, height=640)


def find_chromium(playwright):
    """Of MMD2A_CHROMIUM, of the system, or playwright's own."""
    named = os.environ.get('MMD2A_CHROMIUM')
    own = playwright.chromium.executable_path
    found = [named, *map(shutil.which, NAMES), own]
    return next((path for path in found if path and Path(path).exists()), None)


@pytest.fixture(scope='module')
def playwright():
    api = pytest.importorskip('playwright.sync_api')
    with api.sync_playwright() as started:
        yield started


@pytest.fixture(scope='module')
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


@pytest.fixture(scope='module')
def browser(launch):
    return launch()


class Shown:
    """A page that is open, and what has come up."""

    def __init__(self, browser, path, **settings):
        self.context = browser.new_context(
            **{'viewport': SIZE, 'offline': True} | settings
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

    def show(path, **settings):
        opened.append(Shown(browser, path, **settings))
        return opened[-1]

    yield show
    for shown in opened:
        shown.context.close()


def page_of(results, source, **kwargs):
    path = results.folder / 'page.html'
    write_page(path, read_results(source), **kwargs)
    return path


def silhouette(image):
    """Where something covers the green of the picture."""
    return image[..., 1] - image[..., [0, 2]].max(-1) < 60


def drawn(person, faces):
    """The silhouette that this package draws."""
    green = np.full((360, 480, 3), (0, 255, 0), np.uint8)
    seen = mesh_overlay(
        green, person.vertices + person.transl, faces, person.K, alpha=1
    )
    return silhouette(seen.astype(int))


def change(one, other):
    """Largest difference of two stages, but for the mark of the focus."""
    return np.abs(one - other)[8:-8, 8:-8].max()


def overlap(one, other):
    return (one & other).sum() / (one | other).sum()


def test_the_mesh_lies_on_the_picture_as_the_camera_saw_it(results, show):
    people = [results.person(0.3), results.person(transl=(-0.9, 0.2, 4.5))]
    shown = show(page_of(results, results.write(people))).ready()
    expected = np.logical_or(
        *(drawn(person, results.faces) for person in people)
    )
    assert 0.03 < expected.mean() < 0.4
    assert overlap(silhouette(shown.photo()), expected) > 0.96
    # Narrower than the picture, and with it.
    shown.page.set_viewport_size(dict(width=500, height=900))
    shown.rested()
    assert overlap(silhouette(shown.photo()), expected) > 0.94
    assert not shown.errors
    assert all(url.startswith(('file:', 'data:')) for url in shown.requests)
    assert len([url for url in shown.requests if url[:5] == 'file:']) == 1


def test_the_slider_goes_through_the_frames(results, show):
    source = results.video(6, absent=(3,))
    shown = show(page_of(results, source)).ready()
    sequence = read_results(source)
    seen = []
    for number in (0, 5):
        shown.frame(number)
        person = results.person(-1.2 * number / 6)
        seen.append(silhouette(shown.photo()))
        assert overlap(seen[-1], drawn(person, results.faces)) > 0.95
        told = shown.page.locator('#frame-name span').all_text_contents()
        assert told == [f'frame {number}', f'{number + 1} of 6']
        # The picture is that of the frame.
        assert shown.photo()[5, 5, 1] == pytest.approx(
            255 - 20 * number, abs=8
        )
    assert overlap(*seen) < 0.93
    shown.frame(3)
    assert not silhouette(shown.photo()).any()
    assert 'nobody' in shown.page.locator('#numbers').text_content()
    # By keys, as everything.
    shown.page.keyboard.press('ArrowRight')
    shown.page.keyboard.press('ArrowRight')
    assert overlap(silhouette(shown.rested().photo()), seen[1]) > 0.99
    assert len(sequence.frames) == 6 and not shown.errors


def test_play_moves_through_time_and_stops(results, show):
    shown = show(page_of(results, results.video(6), fps=20)).ready()
    slider = shown.page.locator('#frame')
    shown.page.get_by_role('button', name='Play').click()
    for number in ('2', '5', '1'):  # And from the start again.
        shown.page.wait_for_function(
            '(n) => document.getElementById("frame").value === n', arg=number
        )
    shown.page.get_by_role('button', name='Pause').click()
    still = shown.rested().photo()
    number = slider.input_value()
    shown.page.wait_for_timeout(400)
    assert slider.input_value() == number
    assert change(shown.photo(), still) == 0 and not shown.errors


def test_sigma_is_shown_in_its_colours(results, show):
    shown = show(page_of(results, results.write([results.person()]))).ready()
    plain = shown.photo()
    shown.page.get_by_label('sigma').check()
    shown.rested()
    seen = shown.photo()
    mesh = drawn(results.person(), results.faces)
    assert np.abs(seen - plain)[mesh].mean() > 30
    inner = cv2.erode(mesh.astype(np.uint8), np.ones((5, 5))) > 0
    middle = round(251.3 + 520 * 0.1 / 3)
    sure, unsure = (
        seen[inner & _side(mesh, middle, -8)],
        seen[inner & _side(mesh, middle, 8)],
    )
    # Viridis: violet where sure (its red half of its blue), yellow where not.
    assert (sure[:, 2] > 1.5 * sure[:, 1]).mean() > 0.9
    assert (unsure[:, 1] > 2 * unsure[:, 2]).mean() > 0.9
    legend = shown.page.locator('#legend')
    assert '≤ 10 mm' in legend.text_content()
    assert '≥ 50 mm' in legend.text_content()
    shown.page.get_by_label('plain').check()
    shown.rested()
    assert change(shown.photo(), plain) <= 2
    assert not legend.is_visible() and not shown.errors


def _side(mesh, middle, margin):
    columns = np.arange(mesh.shape[1])
    side = (
        columns > middle + margin if margin > 0 else columns < middle + margin
    )
    return np.broadcast_to(side, mesh.shape)


def test_without_sigma_there_is_nothing_to_switch(results, show):
    source = results.write([results.person(sigma=False)])
    shown = show(page_of(results, source)).ready()
    assert not shown.page.get_by_label('sigma').is_visible()
    assert 'sigma' not in shown.page.locator('#numbers').text_content()
    assert not shown.errors


def test_one_of_several_people_is_chosen(results, show):
    people = [
        results.person(transl=(0.7, 0, 4)),
        results.person(transl=(-0.7, 0, 4)),
    ]
    shown = show(page_of(results, results.write(people))).ready()
    masks = [drawn(person, results.faces) for person in people]
    for number in (1, 0):
        shown.page.get_by_label('People').select_option(f'person {number + 1}')
        shown.rested()
        assert overlap(silhouette(shown.photo()), masks[number]) > 0.95
        numbers = shown.page.locator('#numbers').text_content()
        assert numbers == f'person {number + 1}: 4.0 m away, sigma ' + (
            f'{round(1e3 * people[number].sigma.mean())} mm'
        )
    shown.page.get_by_label('People').select_option('everybody')
    shown.rested()
    assert overlap(silhouette(shown.photo()), masks[0] | masks[1]) > 0.95
    assert not shown.errors


def test_it_is_turned_by_mouse_and_keys_and_back(results, show):
    shown = show(page_of(results, results.write([results.person()]))).ready()
    start = shown.stage()
    mouse = shown.page.mouse
    mouse.move(300, 300)
    mouse.down()
    mouse.move(420, 300, steps=4)
    mouse.up()
    turned = shown.rested().stage()
    assert change(turned, start) > 60
    shown.press('0')
    assert change(shown.stage(), start) <= 2
    # Half a turn by keys: the outline is nearly mirrored, the mesh is not.
    shown.press(*['ArrowRight'] * 9)
    assert change(shown.stage(), start) > 60
    shown.press(*['ArrowLeft'] * 9)
    assert change(shown.stage(), start) <= 2
    for keys in (['Shift+ArrowLeft'], ['+', '+'], ['ArrowUp'] * 3):
        shown.press(*keys)
        assert change(shown.stage(), start) > 60
        shown.page.get_by_role('button', name='View of the camera').click()
        assert change(shown.rested().stage(), start) <= 2
    assert not shown.errors


def test_zoom_keeps_mesh_and_picture_together(results, show):
    person = results.person()
    shown = show(page_of(results, results.write([person]))).ready()
    shown.page.mouse.move(200, 250)
    shown.page.mouse.wheel(0, -200)
    shown.rested()
    box = shown.page.locator('#photo img').bounding_box()
    stage = shown.page.locator('#stage').bounding_box()
    assert box['width'] > 1.2 * min(stage['width'], 4 / 3 * stage['height'])
    image = shown.stage()
    mesh = drawn(person, results.faces).astype(np.uint8)
    # The package's silhouette, laid where the picture now is.
    scale = box['width'] / 480
    place = np.array([[scale, 0, box['x']], [0, scale, box['y']]])
    place[:, 2] += scale / 2 - 0.5
    expected = cv2.warpAffine(mesh, place, image.shape[1::-1]) > 0
    inside = cv2.warpAffine(np.ones_like(mesh), place, image.shape[1::-1]) > 0
    assert overlap(silhouette(image) & inside, expected) > 0.96


def test_beside_the_picture_both_are_whole(results, show):
    person = results.person(transl=(0.8, 0.1, 3.0))
    shown = show(page_of(results, results.write([person]))).ready()
    shown.page.get_by_label('beside it').check()
    shown.rested()
    photo = shown.page.locator('#photo').bounding_box()
    canvas = shown.page.locator('#mesh').bounding_box()
    assert photo['x'] + photo['width'] <= canvas['x'] + 1
    assert not silhouette(shown.photo()).any()
    pane = shown.stage()[:, round(canvas['x']) :]
    mesh = np.abs(pane - pane[2, -2]).max(-1) > 25
    assert 0.03 < mesh.mean() < 0.5
    rows, columns = mesh.any(1).nonzero()[0], mesh.any(0).nonzero()[0]
    assert rows[0] > 5 and rows[-1] < mesh.shape[0] - 5
    assert columns[0] > 5 and columns[-1] < mesh.shape[1] - 5
    assert not shown.errors


def test_the_glb_is_the_prediction(results, show):
    trimesh = pytest.importorskip('trimesh')
    people = [results.person(0.4), results.person(transl=(-0.5, 0, 4))]
    source = results.write(people, 'a b')
    shown = show(page_of(results, source)).ready()
    shown.page.get_by_label('sigma').check()
    shown.press('ArrowRight')
    with shown.page.expect_download() as download:
        shown.page.get_by_role('button', name='Download GLB').click()
    assert download.value.suggested_filename == 'a b.glb'
    path = results.folder / 'down.glb'
    download.value.save_as(path)
    scene = trimesh.load(path, process=False)
    assert len(scene.geometry) == 2
    for number, person in enumerate(people):
        matrix, geometry = scene.graph[f'person {number + 1}']
        mesh = scene.geometry[geometry].copy()
        mesh.apply_transform(matrix)
        true = (person.vertices + person.transl) * [1, -1, -1]
        off = np.linalg.norm(mesh.vertices - true, axis=1)
        assert off.max() <= 1e-4
        assert np.array_equal(mesh.faces, results.faces)
        colors = scene.geometry[geometry].visual.vertex_attributes['color']
        assert len(np.unique(colors, axis=0)) == 2
    assert not shown.errors


@pytest.mark.parametrize(
    'name',
    [
        '</script><img src=x onerror=alert(1)>.jpg',
        '<!--<script>.jpg',
        '"\'&amp; ${data} \\u003c.jpg',
    ],
)
def test_names_of_files_do_nothing(results, show, name):
    source = results.write([results.person()], path=name.replace('/', '\\'))
    shown = show(page_of(results, source)).ready()
    title = name.replace('\\', '/').rpartition('/')[2]
    assert shown.page.locator('h1').text_content() == title.replace('\\', '/')
    assert shown.page.title() == title
    assert not shown.errors and len(shown.page.query_selector_all('img')) == 0


class _Counting(http.server.BaseHTTPRequestHandler):
    hits: list[str] = []

    def do_GET(self):
        self.hits.append(self.path)
        self.send_response(200)
        self.send_header('Access-Control-Allow-Origin', '*')
        self.end_headers()

    def log_message(self, *args):
        pass


def test_the_policy_lets_nothing_out(results, show):
    """With a network that is there: nobody is called, not even by script."""
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), _Counting)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f'http://127.0.0.1:{server.server_port}/'
    path = page_of(results, results.write([results.person()]))
    shown = show(path, offline=False).ready()
    assert not shown.errors
    answers = shown.page.evaluate(
        """async (address) => {
          const said = [];
          const say = (name) => (error) => said.push(name);
          await fetch(address + 'fetch').catch(say('fetch'));
          await new Promise((done) => {
            const image = new Image();
            image.onerror = () => { said.push('image'); done(); };
            image.onload = done;
            image.src = address + 'image';
          });
          await new Promise((done) => {
            const script = document.createElement('script');
            script.onerror = () => { said.push('script'); done(); };
            script.onload = done;
            script.src = address + 'script';
            document.head.append(script);
          });
          const inline = document.createElement('script');
          inline.textContent = 'window.ran = 1';
          document.head.append(inline);
          if (!window.ran) said.push('inline');
          return said;
        }""",
        address,
    )
    server.shutdown()
    assert answers == ['fetch', 'image', 'script', 'inline']
    assert _Counting.hits == []


def test_every_control_is_reached_by_tab(results, show):
    people = [results.person(), results.person(transl=(0.5, 0, 4))]
    results.write(people, 'a')
    source = results.write(people, 'b')
    shown = show(page_of(results, source.parent)).ready()
    reached = []
    for _ in range(12):
        shown.page.keyboard.press('Tab')
        reached.append(
            shown.page.evaluate(
                '() => (({id, name}) => id || name)(document.activeElement)'
            )
        )
    assert reached[:8] == [
        'mesh',
        'play',
        'frame',
        'view',
        'color',
        'person',
        'align',
        'download',
    ]
    unnamed = shown.page.evaluate(
        """() => [...document.querySelectorAll('button,input,select,canvas')]
          .filter((e) => !(e.labels?.length || e.ariaLabel || e.textContent))
          .map((e) => e.outerHTML)"""
    )
    assert unnamed == []


def test_on_a_phone_it_fits_and_fingers_turn_and_zoom(results, show):
    path = page_of(results, results.video(3))
    shown = show(
        path,
        viewport=dict(width=390, height=844),
        device_scale_factor=3,
        has_touch=True,
        is_mobile=True,
    ).ready()
    size = '() => [document.documentElement.scrollWidth, innerWidth]'
    assert shown.page.evaluate(size) == [390, 390]
    for control in ('#play', '#frame', '#mesh'):
        box = shown.page.locator(control).bounding_box()
        assert box['height'] >= 32 and box['x'] >= 0
        assert box['x'] + box['width'] <= 390
    start = shown.stage()
    session = shown.context.new_cdp_session(shown.page)

    def touch(kind, *points):
        session.send(
            'Input.dispatchTouchEvent',
            dict(
                type=kind,
                touchPoints=[
                    dict(x=x, y=y, id=i) for i, (x, y) in enumerate(points)
                ],
            ),
        )

    touch('touchStart', (150, 200), (230, 200))
    touch('touchMove', (110, 200), (270, 200))
    touch('touchEnd')
    shown.rested()
    wide = shown.page.locator('#photo img').bounding_box()['width']
    assert wide == pytest.approx(2 * 390, rel=0.05)
    shown.page.get_by_role('button', name='View of the camera').tap()
    assert change(shown.rested().stage(), start) <= 2
    touch('touchStart', (150, 200))
    touch('touchMove', (250, 200))
    touch('touchEnd')
    turned = change(shown.rested().stage(), start)
    assert turned > 60 and not shown.errors


def test_a_browser_that_cannot_draw_says_so(results, launch):
    path = page_of(results, results.write([results.person()]))
    shown = Shown(launch('--disable-3d-apis'), path)
    notice = shown.page.locator('#notice', has_text='WebGL')
    notice.wait_for()
    assert 'cannot be shown' in notice.text_content()

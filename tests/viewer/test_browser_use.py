"""The page keeps to itself, and is used by keys, by fingers, by anybody."""

import http.server
import threading

import pytest

pytestmark = pytest.mark.slow


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
    shown = show(results.page(source)).ready()
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
    path = results.page(results.write([results.person()]))
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
    shown = show(results.page(source.parent)).ready()
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
    path = results.page(results.video(3))
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
    assert shown.change(shown.rested().stage(), start) <= 2
    touch('touchStart', (150, 200))
    touch('touchMove', (250, 200))
    touch('touchEnd')
    turned = shown.change(shown.rested().stage(), start)
    assert turned > 60 and not shown.errors


def test_a_browser_that_cannot_draw_says_so(results, show, launch):
    path = results.page(results.write([results.person()]))
    shown = show(path, browser=launch('--disable-3d-apis'))
    notice = shown.page.locator('#notice', has_text='WebGL')
    notice.wait_for()
    assert 'cannot be shown' in notice.text_content()

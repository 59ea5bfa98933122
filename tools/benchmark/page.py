"""Measure the page of `mmd2a view`: bytes, and pictures a second.

    python tools/benchmark/page.py
    python tools/benchmark/page.py --result meshes/clip.json

Without a result it makes one: a video of 100 frames that moves over the
photograph of the docs, and what the model that ships predicts on it. The page
is opened in Chromium, without a window; the GPU's driver is told, software
such as SwiftShader draws on the CPU. Pictures are counted where the page
clears its canvas: while the mesh is turned, a step for every picture of the
screen; while the slider moves, a frame for every picture; and while the video
plays, where its own speed is the most that can be reached.

Needs `pip install playwright` and a Chromium (Debian: apt-get install
chromium).
"""

import argparse
import json
import os
import re
import shutil
import tempfile
from pathlib import Path

import cv2
import numpy as np

from mmd2a.viewer import read_results, write_page

PHOTO = Path(__file__).parents[2] / 'docs' / 'images' / 'balancing.jpg'
SCREENS = {'desktop': (1280, 720), 'phone': (390, 844)}
COUNT = """
const clear = WebGL2RenderingContext.prototype.clear;
window.drawn = 0;
WebGL2RenderingContext.prototype.clear = function (...bits) {
  window.drawn++;
  return clear.apply(this, bits);
};
"""
DRIVER = """() => {
  const gl = document.createElement('canvas').getContext('webgl2');
  const info = gl.getExtension('WEBGL_debug_renderer_info');
  return gl.getParameter(info.UNMASKED_RENDERER_WEBGL);
}"""
# Pictures a second for some seconds, a change for every one of the screen.
RATE = """async ([what, seconds]) => {
  const canvas = document.getElementById('mesh');
  const slider = document.getElementById('frame');
  const changes = {
    turning: () => canvas.dispatchEvent(
      new KeyboardEvent('keydown', { key: 'ArrowRight' })),
    sliding: () => {
      slider.value = (Number(slider.value) + 1) % (Number(slider.max) + 1);
      slider.dispatchEvent(new Event('input'));
    },
    playing: () => {},
  };
  const start = performance.now();
  const before = window.drawn;
  await new Promise((done) => {
    function step() {
      changes[what]();
      if (performance.now() - start > 1000 * seconds) done();
      else requestAnimationFrame(step);
    }
    requestAnimationFrame(step);
  });
  return (1000 * (window.drawn - before)) / (performance.now() - start);
}"""


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description='Measure the page of mmd2a view.',
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument('--result', help='of mmd2a predict; made if not given')
    parser.add_argument('--frames', type=int, default=100, help='if made')
    parser.add_argument('--seconds', type=float, default=5, help='per number')
    parser.add_argument(
        '--chromium',
        default=shutil.which('chromium') or shutil.which('google-chrome'),
        help='the browser',
    )
    return parser.parse_args()


def make_result(folder: Path, frames: int) -> Path:
    """What the model that ships predicts on a video over the photograph."""
    from mmd2a.apis import MeshInferencer

    photo = cv2.imread(str(PHOTO))
    height, width = photo.shape[:2]
    path = folder / 'pan.mp4'
    video = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*'mp4v'), 25, (width, height)
    )
    for phase in np.linspace(0, 2 * np.pi, frames, endpoint=False):
        matrix = cv2.getRotationMatrix2D(
            (width / 2, height / 2),
            12 * np.sin(phase),
            1 + 0.12 * np.sin(2 * phase),
        )
        matrix[:, 2] += [25 * np.sin(3 * phase), 10 * np.cos(phase)]
        video.write(
            cv2.warpAffine(
                photo, matrix, (width, height), borderMode=cv2.BORDER_REFLECT
            )
        )
    video.release()
    for _ in MeshInferencer()(str(path), pred_out_dir=str(folder)):
        pass
    return path.with_suffix('.json')


def print_bytes(page: Path) -> None:
    """How the bytes of a page are spread."""
    text = page.read_text('utf-8')
    [data] = re.findall(r'<script id="data"[^>]*>(.*?)</script>', text, re.S)
    content = json.loads(data)
    people = content['people']
    rows = {
        'vertices': sum(len(p['vertices']['data']) for p in people),
        'sigma': sum(len(p['sigma']['data']) for p in people if 'sigma' in p),
        'faces': len(content['faces']['data']),
        'pictures': sum(len(f['picture'] or '') for f in content['frames']),
    }
    rows['library and page'] = len(text) - sum(rows.values())
    rows['all'] = page.stat().st_size
    print(f'{len(content["frames"])} frames, {len(people)} people, MB')
    for name, size in rows.items():
        print(f'  {name:20s}{size / 1e6:6.2f}')


def print_rates(page: Path, chromium: str, seconds: float) -> None:
    """Pictures a second, on screens of two sizes."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=['--no-sandbox', '--enable-unsafe-swiftshader'],
        )
        for name, (width, height) in SCREENS.items():
            context = browser.new_context(
                viewport=dict(width=width, height=height), offline=True
            )
            shown = context.new_page()
            shown.add_init_script(COUNT)
            shown.goto(page.resolve().as_uri())
            shown.wait_for_selector('#notice', state='hidden')
            if name == 'desktop':
                print(f'{shown.evaluate(DRIVER)}, Chromium {browser.version}')
            rates = [
                shown.evaluate(RATE, [what, seconds])
                for what in ('turning', 'sliding')
            ]
            play = shown.get_by_role('button', name='Play')
            if play.is_visible():
                play.click()
                rates.append(shown.evaluate(RATE, ['playing', seconds]))
            print(
                f'  {name}, {width}x{height}: '
                + ', '.join(
                    f'{what} {rate:.0f}/s'
                    for what, rate in zip(
                        ('turning', 'sliding', 'playing'), rates
                    )
                )
            )
            context.close()
        browser.close()
    load = os.getloadavg()[0]
    print(f'  load {load:.1f} on {os.cpu_count()} cores at the end')


def main() -> None:
    args = parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = args.result or make_result(Path(folder), args.frames)
        page = Path(folder, 'page.html')
        write_page(page, read_results(result))
        print_bytes(page)
        if args.chromium is None:
            print('no Chromium: apt-get install chromium, or --chromium')
        else:
            print_rates(page, args.chromium, args.seconds)


if __name__ == '__main__':
    main()

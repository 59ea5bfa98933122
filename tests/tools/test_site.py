"""The site of pages and docstrings: whole, and without one broken link."""

import importlib
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

from mmd2a.registry import MODELS

pytest.importorskip('sphinx', reason='requirements/docs.txt')
ROOT = Path(__file__).parents[2]


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ('href', 'src') and value and not value.startswith('#'):
                self.found.append(value)


@pytest.fixture(scope='module')
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp('site')
    before = set(ROOT.glob('docs/**/*'))
    built = subprocess.run(
        ['bash', str(ROOT / 'tools/docs/build_site.sh'), str(folder)],
        capture_output=True,
        text=True,
        env={**os.environ, 'PYTHON': sys.executable, 'PYTHONPATH': str(ROOT)},
        timeout=600,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert set(ROOT.glob('docs/**/*')) == before
    return folder


def test_every_page_and_every_model_is_there(site):
    pages = {path.stem for path in (ROOT / 'docs').glob('*.md')}
    assert pages <= {path.stem for path in (site / 'docs').glob('*.html')}
    importlib.import_module('mmd2a.models')  # They register there.
    index = (site / 'genindex.html').read_text()
    ours = [
        name
        for name, part in MODELS.module_dict.items()
        if part.__module__.startswith('mmd2a.models.')
    ]
    assert len(ours) > 20
    assert [name for name in ours if name not in index] == []


def test_what_pages_name_is_there(site):
    absent = []
    for page in (site / 'README.html', *(site / 'docs').glob('*.html')):
        links = _Links()
        links.feed(page.read_text())
        for link in links.found:
            parts = urlparse(link)
            if not parts.scheme and not parts.netloc:
                target = page.parent / unquote(parts.path)
                if not target.exists():
                    absent.append((page.name, link))
    assert absent == []

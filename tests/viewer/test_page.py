"""The page is one file that asks for nothing; what is written is told."""

import base64
import hashlib
import json
import os
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from mmd2a.files import UnusableFileError
from mmd2a.viewer import page as page_module
from mmd2a.viewer import read_results, write_page


class Parts(HTMLParser):
    """Texts of script, style and title, and all attributes."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.texts, self.attributes, self.tags = [], [], []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, *attribute) for attribute in attrs]
        self.inside = tag in ('script', 'style', 'title')
        if self.inside:
            self.texts.append((tag, ''))

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            tag, text = self.texts.pop()
            self.texts.append((tag, text + data))

    def of(self, tag):
        return [text for name, text in self.texts if name == tag]


def written(results, people=None, **kwargs):
    """Parts and content of a page."""
    source = results.write(people or [results.person()], **kwargs)
    path = results.folder / 'page.html'
    write_page(path, read_results(source))
    parts = Parts(path.read_text('utf-8'))
    return parts, json.loads(parts.of('script')[0])


def test_nothing_is_fetched(results):
    parts, _ = written(results)
    named = [
        value
        for _, name, value in parts.attributes
        if name in ('src', 'href', 'action', 'srcset', 'data')
    ]
    assert not named and 'link' not in parts.tags
    assert '@import' not in parts.of('style')[0]
    assert 'url(' not in parts.of('style')[0]


def test_the_policy_lets_only_these_scripts_run(results):
    parts, _ = written(results)
    [policy] = [
        value
        for tag, name, value in parts.attributes
        if tag == 'meta' and value and "default-src 'none'" in value
    ]
    rules = dict(rule.strip().split(' ', 1) for rule in policy.split(';'))
    assert rules.keys() == {
        'default-src',
        'base-uri',
        'form-action',
        'img-src',
        'script-src',
        'style-src',
    }
    assert rules['img-src'] == 'data:' and 'unsafe' not in policy

    def digests(texts):
        return ' '.join(
            "'sha256-"
            + base64.b64encode(hashlib.sha256(t.encode()).digest()).decode()
            + "'"
            for t in texts
        )

    assert rules['script-src'] == digests(parts.of('script')[1:])
    assert rules['style-src'] == digests(parts.of('style'))
    assert not [name for _, name, _ in parts.attributes if name[:2] == 'on']
    assert not [name for _, name, _ in parts.attributes if name == 'style']


@pytest.mark.parametrize(
    'name',
    [
        '</script><img src=x onerror=alert(1)>.jpg',
        '</title><script>alert(1)</script>.jpg',
        '<!--<script>.jpg',
        '"\'&amp; $title ${data} \\u003c.jpg',
        'naïve ☃ \u2028.jpg',
    ],
)
def test_names_of_files_are_text(results, name):
    plain, _ = written(results)
    parts, content = written(results, path=f'folder\\{name}')
    assert (
        content['title']
        == content['frames'][0]['name']
        == name.replace('\\', '/').split('/')[-1]
    )
    assert parts.of('title') == [content['title']]
    assert parts.tags == plain.tags
    assert parts.of('script')[1:] == plain.of('script')[1:]


def test_a_name_that_is_no_text_leaves_a_mark(results):
    parts, content = written(results, path='bad\udcff.jpg')
    assert parts.of('title') == ['bad?.jpg']
    assert content['title'] == 'bad\udcff.jpg'


def test_the_content_is_the_result(results, unpacked):
    people = [
        results.person(0.5),
        results.person(transl=(-0.6, 0.1, 4.2), sigma=True),
    ]
    _, content = written(results, people)
    assert [p['name'] for p in content['people']] == ['person 1', 'person 2']
    for told, person in zip(content['people'], people):
        got = unpacked(told['vertices']).reshape(-1, 3) * told['step']
        got = got + told['transl'][0]
        true = person.vertices + person.transl
        assert np.linalg.norm(got - true, axis=-1).max() <= 1e-4
        assert told['mean_sigma_mm'][0] == pytest.approx(
            1e3 * person.sigma.mean(), abs=0.051
        )
        levels = unpacked(told['sigma'])
        least, most = content['sigma']['limits_mm']
        got = (least + levels / 254 * (most - least)) / 1e3
        assert np.abs(got - person.sigma).max() < 2e-4
    faces = unpacked(content['faces']).reshape(-1, 3)
    assert np.array_equal(faces, results.faces)
    [frame] = content['frames']
    assert frame['size'] == [480, 360]
    assert frame['K'] == [520.0, 0, 251.3, 505.0, 170.9]
    assert frame['picture'].startswith('data:image/webp;base64,')
    assert len(content['sigma']['colors']) == 256


def test_the_licence_of_the_library_goes_with_the_page(results):
    parts, _ = written(results)
    library = parts.of('script')[1]
    assert 'The MIT License' in library and 'three.js authors' in library


def test_a_video_has_all_its_frames_and_its_speed(results):
    sequence = read_results(results.video(6, absent=(0, 5)))
    path = results.folder / 'page.html'
    page = write_page(path, sequence)
    content = json.loads(Parts(path.read_text()).of('script')[0])
    assert (page.frames, page.people, page.without) == (6, 1, None)
    assert content['fps'] == 10
    assert content['people'][0]['frames'] == [1, 2, 3, 4]
    page = write_page(path, sequence, every=2, fps=30)
    content = json.loads(Parts(path.read_text()).of('script')[0])
    assert page.frames == 3 and content['fps'] == 15
    assert content['people'][0]['frames'] == [1, 2]
    assert [frame['name'] for frame in content['frames']] == [
        'frame 0',
        'frame 2',
        'frame 4',
    ]


def test_pictures_that_are_gone_are_told(results):
    path = results.video(4)
    os.remove(results.folder / 'clip.avi')
    page = write_page(results.folder / 'page.html', read_results(path))
    assert page.frames == 4 and page.without.endswith('clip.avi')


def test_vertices_of_which_nobody_is_sure_are_grey(results, unpacked):
    person = results.person()
    sigma = person.sigma.copy()
    sigma[:10] = np.nan
    _, content = written(results, [replace(person, sigma=sigma)])
    [told] = content['people']
    assert told['mean_sigma_mm'] == [None]
    levels = unpacked(told['sigma'])
    assert (levels[:10] == 255).all() and (levels[10:] < 255).all()
    assert np.ptp(content['sigma']['colors'][255]) == 0


def test_a_video_that_promises_more_frames_is_cut(results, monkeypatch):
    sequence = read_results(results.video(4, absent=(3,)))
    monkeypatch.setattr(page_module, 'video_length', lambda path: (50, 10.0))
    page = write_page(results.folder / 'page.html', sequence)
    assert page.frames == 4 and page.without is None


def test_mistakes_leave_no_page(results, monkeypatch):
    sequence = read_results(results.video(4, absent=(0, 2)))
    out = results.folder / 'page.html'
    with pytest.raises(UnusableFileError, match='nobody in frames 0, 2, 4'):
        write_page(out, sequence, every=2)
    with pytest.raises(UnusableFileError, match='this is none'):
        write_page(out, sequence, results.picture())
    with pytest.raises(UnusableFileError, match=r'end it in \.html'):
        write_page(out.with_suffix('.pdf'), sequence)
    for settings in (dict(every=0), dict(fps=0), dict(fps=float('nan'))):
        with pytest.raises(ValueError, match='give more than 0'):
            write_page(out, sequence, **settings)
    monkeypatch.setattr(page_module, 'MAX_PAGE_BYTES', 300_000)
    with pytest.raises(UnusableFileError, match=r'--every [3-9]$') as error:
        write_page(out, sequence)
    assert re.search('would have 1 MB, 0 are allowed', str(error.value))
    with pytest.raises(OSError, match='cannot write'):
        monkeypatch.undo()
        write_page(results.picture() / 'page.html', sequence)
    assert not out.exists()
    assert not list(results.folder.glob('*.incomplete'))

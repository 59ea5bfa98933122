"""The wheel works from an empty folder, without the checkout."""

import re
import zipfile
from pathlib import Path

import pytest

from mmd2a import __version__

ROOT = Path(__file__).parents[2]
KINDS = {
    '.css',
    '.html',
    '.js',
    '.json',
    '.npz',
    '.py',
    '.safetensors',
    '.typed',
}
# Everything a user reaches by name, in one process.
NAMES = """
import warnings
warnings.simplefilter('ignore')
import mmd2a
from importlib.metadata import version
from pathlib import Path
from mmengine import load
from mmengine.config import Config
from mmengine.hub import get_config, get_model
package = Path(mmd2a.__file__).parent
assert 'environment' in str(package), package
assert mmd2a.__version__ == version('mmd2a')

index = load(package / '.mim/model-index.yml')
models = [model for file in index['Import']
          for model in load(package / '.mim' / file)['Models']]
for model in models:
    cfg = get_config('mmd2a::' + model['Config'].removeprefix('configs/'))
    assert Path(cfg.filename).is_relative_to(package), cfg.filename

Path('text.py').write_text(
    "_base_ = 'mmd2a::d2a_hmr/d2a_hmr_hrnet.py'\\n"
    "model = dict(flow_head=None)")
assert Config.fromfile('text.py').model.flow_head is None
assert (package / 'py.typed').is_file()
print(type(get_model('mmd2a::d2a_hmr/d2a_hmr_hrnet.py')).__name__)
"""


def test_the_wheel_holds_every_file_it_needs(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert f'mmd2a-{__version__}.dist-info/METADATA' in names
    expected = {
        f'mmd2a/.mim/{path.relative_to(ROOT)}'
        for folder in ('configs', 'tools')
        for path in (ROOT / folder).rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }
    expected |= {
        str(path.relative_to(ROOT))
        for path in (ROOT / 'mmd2a').rglob('*')
        if path.suffix in KINDS
    }
    assert expected | {'mmd2a/.mim/model-index.yml'} <= names
    assert {name.split('/')[0] for name in names} == {
        'mmd2a',
        f'mmd2a-{__version__}.dist-info',
    }


def test_the_wheel_is_not_larger_than_it_may_be(wheel):
    assert wheel.stat().st_size <= 25e6


def test_every_config_is_found_by_name_from_an_empty_folder(
    wheel, install, run_in
):
    pytest.importorskip('mmpose')
    assert run_in(install(wheel), '-c', NAMES).endswith('D2AHMR\n')


def test_no_module_of_the_package_is_forgotten(wheel):
    """A folder without ``__init__.py`` would be left out silently."""
    packages = {
        re.sub('/[^/]*$', '', name)
        for name in zipfile.ZipFile(wheel).namelist()
        if re.fullmatch(r'mmd2a/[\w/]+\.py', name)
    }
    assert all(
        f'{package}/__init__.py' in zipfile.ZipFile(wheel).namelist()
        for package in packages
    )

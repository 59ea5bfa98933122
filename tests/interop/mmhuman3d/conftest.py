"""Data and configs in MMHuman3D's layout, small and free."""

import shutil
import uuid
from pathlib import Path

import pytest

# Tests import MMHuman3D through the bridge.
import mmd2a  # noqa: F401

CONFIGS = Path(__file__).parent / 'tiny_configs'


@pytest.fixture(scope='session')
def stand_ins(tmp_path_factory):
    """A ``data`` folder as MMHuman3D's configs read it, with 12 people."""
    pytest.importorskip('mmhuman3d')
    from mmhuman3d_stand_ins import make_stand_ins

    folder = tmp_path_factory.mktemp('stand_ins') / 'data'
    make_stand_ins(folder, num_people=12, image_size=64, num_workers=0)
    return folder


@pytest.fixture
def data_here(stand_ins, tmp_path, monkeypatch):
    """Work where ``data/`` is."""
    (tmp_path / 'data').symlink_to(stand_ins)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def tiny_configs(tmp_path):
    """Folder with ``hmr.py``, ``plain_hmr.py`` and ``spin.py``."""
    return Path(shutil.copytree(CONFIGS, tmp_path / 'configs'))


@pytest.fixture
def runner(data_here, tiny_configs):
    """``runner(name, work_dir, *hooks, **changes)``, built as by the tools."""

    from mmengine.config import Config
    from mmengine.runner import Runner

    from mmd2a.cli.start import start_of_training
    from mmd2a.interop.mmhuman3d.settings.translation import translate_config

    def build(name, work_dir='run', *hooks, resume=False, **changes):
        cfg = Config.fromfile(tiny_configs / f'{name}.py')
        cfg.merge_from_dict({'seed': 0, 'work_dir': work_dir, **changes})
        cfg = translate_config(cfg)
        cfg.experiment_name = uuid.uuid4().hex
        start = start_of_training(cfg, 'auto') if resume else None
        built = Runner.from_cfg(cfg)
        if start is not None:
            start.apply(built)
        for hook in hooks:
            built.register_hook(hook)
        return built

    return build

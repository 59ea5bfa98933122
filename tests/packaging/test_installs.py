"""Wheel, source distribution and editable install do the same."""

import json
import math
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import mmd2a  # noqa: F401  (with it mmhuman3d can be imported)

ROOT = Path(__file__).parents[2]
FOLDER = """
from pathlib import Path
import mmd2a
from mmengine.hub import get_config
get_config('mmd2a::d2a_hmr/d2a_hmr_hrnet.py')
print(Path(mmd2a.__file__).parent)
"""


def tiny_run():
    """Options that make the main job a matter of seconds."""
    options = ['train_cfg.max_epochs=1']
    for split, count in (('train', 8), ('val', 4), ('test', 4)):
        loader = f'{split}_dataloader'
        options += [
            f'{loader}.batch_size=4',
            f'{loader}.dataset.num_people={count}',
            f'{loader}.dataset.shard_size=8',
            f'{loader}.dataset.image_size=96',
        ]
    return ['--cfg-options', *options]


@pytest.fixture
def unpacked(built, tmp_path_factory):
    """The source distribution, unpacked."""
    folder = tmp_path_factory.mktemp('unpacked')
    with tarfile.open(built('sdist')) as archive:
        archive.extractall(folder, filter='data')
    return next(folder.iterdir())


def test_a_wheel_from_the_sdist_is_the_same_wheel(built, wheel, unpacked):
    """And the sdist holds files, where the checkout has links."""
    assert not [path for path in unpacked.rglob('*') if path.is_symlink()]
    assert (unpacked / 'tests/packaging/conftest.py').is_file()
    contents = [
        {
            info.filename: info.CRC
            for info in zipfile.ZipFile(path).infolist()
            if 'RECORD' not in info.filename
        }
        for path in (wheel, built('wheel', unpacked))
    ]
    assert contents[0] == contents[1]


@pytest.mark.slow
@pytest.mark.parametrize('kind', ['wheel', 'sdist', 'editable'])
def test_the_main_job_runs_outside_the_source_tree(
    kind, built, wheel, checkout, unpacked, install, run_in, tmp_path
):
    pytest.importorskip('mmpose')
    built_from = {
        'wheel': lambda: wheel,
        'sdist': lambda: built('wheel', unpacked),
        'editable': lambda: built('editable'),
    }[kind]
    python = install(built_from())
    folder = run_in(python, '-W', 'ignore', '-c', FOLDER).strip()
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'mmd2a::d2a_hmr/d2a_hmr_hrnet.py'"
    )
    tools = f'{folder}/.mim/tools'
    run_in(python, f'{tools}/train.py', 'mine.py', *tiny_run())
    run_in(
        python,
        f'{tools}/test.py',
        'mine.py',
        'work_dirs/mine/epoch_1.pth',
        '--out',
        'results.json',
        *tiny_run(),
    )
    results = json.loads((tmp_path / 'results.json').read_text())
    assert math.isfinite(results['synthetic_h36m14/MPJPE'])


def few_people(name):
    """Options for 20 steps of a mix and a small evaluation."""
    if name.startswith('mmhuman3d'):  # 20 people
        return [
            '--cfg-options',
            'data.samples_per_gpu=4',
            'data.workers_per_gpu=0',
            'runner.max_epochs=4',
            'evaluation.interval=4',
            'log_config.interval=1',
        ]
    options = [
        'train_cfg.max_epochs=10',
        'train_cfg.val_interval=10',
        'param_scheduler=None',
        'default_hooks.logger.interval=1',
        'log_processor.window_size=1',
    ]
    for split, count in (('train', 8), ('val', 4), ('test', 4)):
        loader = f'{split}_dataloader'
        options += [
            f'{loader}.batch_size=4',
            f'{loader}.dataset.num_people={count}',
            f'{loader}.dataset.shard_size=4',
            f'{loader}.dataset.image_size=96',
        ]
    return ['--cfg-options', *options]


@pytest.mark.slow
def test_every_mix_learns_and_is_evaluated_outside_the_source_tree(
    wheel, install, run_in, tmp_path
):
    pytest.importorskip('mmhuman3d')
    python = install(wheel)
    folder = run_in(python, '-W', 'ignore', '-c', FOLDER).strip()
    tools = f'{folder}/.mim/tools'
    run_in(
        python,
        f'{tools}/data/make_mmhuman3d_stand_ins.py',
        '--out',
        'data',
        '--people',
        '20',
    )
    names = sorted(path.stem for path in (ROOT / 'configs/mix').glob('*.py'))
    for name in names:
        (tmp_path / f'{name}.py').write_text(
            f"_base_ = 'mmd2a::mix/{name}.py'"
        )
        options = few_people(name)
        run_in(python, f'{tools}/train.py', f'{name}.py', *options)
        work_dir = tmp_path / 'work_dirs' / name
        checkpoint = (work_dir / 'last_checkpoint').read_text()
        run_in(
            python,
            f'{tools}/test.py',
            f'{name}.py',
            checkpoint,
            '--out',
            f'{name}.json',
            *options,
        )
        metrics = json.loads((tmp_path / f'{name}.json').read_text())
        assert metrics and all(map(math.isfinite, metrics.values()))
        [log] = work_dir.glob('*/vis_data/scalars.json')
        losses = [
            entry['loss']
            for line in log.read_text().splitlines()
            if 'loss' in (entry := json.loads(line))
        ]
        assert len(losses) == 20
        assert sum(losses[-5:]) < sum(losses[:5]), name


def test_an_editable_install_has_configs_and_leaves_no_trace(
    built, checkout, install, run_in
):
    python = install(built('editable'))
    folder = run_in(python, '-W', 'ignore', '-c', FOLDER).strip()
    assert Path(folder) == checkout / 'mmd2a'
    site = next(python.parents[1].glob('lib/*/site-packages'))
    # Nothing but this install, so that pip does not see the tests' own.
    (site / 'neighbours.pth').unlink()
    run_in(
        sys.executable,
        '-m',
        'pip',
        '--python',
        python,
        'uninstall',
        '--yes',
        'mmd2a',
    )
    assert not list(python.parents[1].rglob('*mmd2a*'))
    assert (checkout / 'mmd2a/__init__.py').is_file()

"""What a user can get wrong ends in one line that says what to do."""

import runpy
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmd2a.registry import MODELS

ROOT = Path(__file__).parents[2]
MAIN = ROOT / 'configs' / 'd2a_hmr_hrnet.py'
MODEL_ONLY = ROOT / 'configs' / '_base_' / 'models' / 'd2a_hmr.py'
HUMAN3D = ROOT / 'configs' / 'mix' / 'mmhuman3d_hmr.py'
INDEX = ROOT / 'configs' / 'metafile.yml'


@pytest.fixture
def mistake(tmp_path, monkeypatch):
    """``mistake(tool, *arguments) -> line``, in this process, to be fast."""
    monkeypatch.chdir(tmp_path)
    # Tools set the default scope; the tests after these have their own.
    monkeypatch.setattr(
        DefaultScope, '_instance_dict', DefaultScope._instance_dict.copy()
    )

    def run(tool, *arguments):
        path = str(ROOT / 'tools' / tool)
        monkeypatch.setattr(sys, 'argv', [path, *map(str, arguments)])
        # As Python does for a script: a tool may import its neighbours.
        monkeypatch.syspath_prepend(str(Path(path).parent))
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(path, run_name='__main__')
        line = str(stop.value)
        assert line.startswith('error: ') and '\n' not in line
        return line

    return run


@pytest.mark.parametrize(
    'tool, arguments, expected',
    [
        ('train.py', [MODEL_ONLY], 'no training data'),
        ('train.py', [MODEL_ONLY, '--amp'], 'no training data'),
        ('train.py', [INDEX], 'no model'),
        (
            'train.py',
            [MAIN, '--cfg-options', 'model.depth_branch'],
            'options are KEY=VALUE',
        ),
        (
            'train.py',
            [MAIN, '--cfg-options', 'load_from=nothere.pth'],
            'no checkpoint nothere.pth',
        ),
        ('test.py', [MODEL_ONLY, 'x.pth'], 'no test data'),
        ('analysis/draw_sheet.py', ['nothere.py', 'x.pth'], 'no config'),
        (
            'analysis/draw_sheet.py',
            [MAIN, 'x.pth', '--out', 'sheet.xyz'],
            'image format: sheet.xyz',
        ),
        ('analysis/draw_sheet.py', [MODEL_ONLY, 'x.pth'], 'no test data'),
        ('analysis/draw_sheet.py', [MAIN, 'x.pth'], 'no checkpoint x.pth'),
        (
            'analysis/draw_sheet.py',
            [MAIN, __file__],
            'not a complete checkpoint',
        ),
        ('analysis/draw_sheet.py', [HUMAN3D, __file__], 'D2AHMR'),
        ('analysis/draw_sheet.py', [INDEX, __file__], 'D2AHMR'),
        (
            'analysis/draw_sheet.py',
            [MAIN, __file__, '--cfg-options', 'model.type=BaseModel'],
            'D2AHMR',
        ),
        ('analysis/draw_views.py', [MAIN, __file__], 'ImpHMR'),
        (
            'analysis/compare_with_mean_pose.py',
            ['nothere.py', 'x.json'],
            'no config',
        ),
        (
            'analysis/compare_with_mean_pose.py',
            [MODEL_ONLY, 'x.json'],
            'no training data',
        ),
        (
            'analysis/compare_with_mean_pose.py',
            [MAIN, 'x.json'],
            'no file of results x.json',
        ),
        ('analysis/compare_with_mean_pose.py', [MAIN, __file__], 'not JSON'),
        (
            'data/make_synthetic_people.py',
            ['--config', 'nothere.py'],
            'no config',
        ),
        (
            'data/make_synthetic_people.py',
            ['--config', MODEL_ONLY],
            'no data set of synthetic people',
        ),
        (
            'data/make_synthetic_people.py',
            ['--motions', 'nothere.bvh'],
            'nothere.bvh',
        ),
        (
            'data/make_synthetic_people.py',
            [
                '--config',
                MAIN,
                '--cfg-options',
                'train_dataloader.dataset.motions=nothere.bvh',
            ],
            'nothere.bvh',
        ),
        ('benchmark/training_step.py', ['nothere.py'], 'no config'),
        ('benchmark/training_step.py', [MODEL_ONLY], 'no training data'),
    ],
)
def test_mistakes_are_told_in_one_line(mistake, tool, arguments, expected):
    assert expected in mistake(tool, *arguments)


def test_results_of_another_kind_are_named(mistake, tmp_path):
    (tmp_path / 'results.json').write_text('{"PCK": 0.5}')
    line = mistake('analysis/compare_with_mean_pose.py', MAIN, 'results.json')
    assert 'has no PCK/MPJPE' in line


def test_an_earlier_training_is_not_overwritten(
    mistake, toy_config, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(toy_config.parent))
    folder = tmp_path / 'work_dirs' / 'toy_config'
    folder.mkdir(parents=True)
    (folder / 'last_checkpoint').write_text('epoch_2.pth')
    line = mistake('train.py', toy_config)
    assert '--resume' in line and '--work-dir' in line


@pytest.mark.parametrize(
    'content, expected',
    [
        (dict(state_dict=dict(other=torch.zeros(1))), '6 of 6 parameters'),
        ([1, 2], 'no weights'),
        ('no checkpoint', 'not a complete checkpoint'),
    ],
)
def test_what_is_no_checkpoint_of_the_model_is_not_evaluated(
    mistake, toy_config, tmp_path, monkeypatch, content, expected
):
    monkeypatch.syspath_prepend(str(toy_config.parent))
    checkpoint = tmp_path / 'x.pth'
    if isinstance(content, str):
        checkpoint.write_text(content)
    else:
        torch.save(content, checkpoint)
    assert expected in mistake('test.py', toy_config, checkpoint)


def test_a_sheet_is_not_drawn_of_a_half_random_model(mistake, tmp_path):
    pytest.importorskip('mmpose')
    settings = Config.fromfile(MAIN).model
    settings.depth_branch = None
    torch.save(MODELS.build(settings).state_dict(), tmp_path / 'x.pth')
    line = mistake('analysis/draw_sheet.py', MAIN, 'x.pth')
    assert 'parameters are missing' in line and '--cfg-options' in line


def test_slurm_scripts_need_srun(tmp_path):
    bash = shutil.which('bash')
    (tmp_path / 'dirname').symlink_to(shutil.which('dirname'))
    for tool in ('slurm_train.sh', 'slurm_test.sh'):
        done = subprocess.run(
            [bash, ROOT / 'tools' / tool, 'gpu', 'job', 'a', 'b'],
            env=dict(PATH=str(tmp_path)),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert 'tools/dist_train.sh' in done.stderr
        assert done.stderr.count('\n') == 1


@pytest.mark.parametrize(
    'arguments',
    [
        ['--epochs'],
        ['--epochs', 'many'],
        ['--people', '--epochs', '1'],
        ['--depth', '1'],
    ],
)
def test_the_quickstart_explains_itself(arguments):
    done = subprocess.run(
        ['bash', ROOT / 'tools' / 'quickstart.sh', *arguments],
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 2 and '[--epochs N]' in done.stderr


SCRIPTS = [
    'dist_train.sh',
    'dist_test.sh',
    'slurm_train.sh',
    'slurm_test.sh',
    'quickstart.sh',
    'install.sh',
    'run_tests.sh',
]


@pytest.mark.parametrize('script', SCRIPTS)
def test_help_is_text_and_no_source(script):
    done = subprocess.run(
        ['bash', f'tools/{script}', '--help'],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode == 0 and done.stderr == ''
    assert f'bash tools/{script}' in done.stdout
    for sign in ('#', 'set -', '$(', '!/'):
        assert sign not in done.stdout


@pytest.mark.parametrize(
    'signum', [signal.SIGTERM, signal.SIGINT], ids=['TERM', 'INT']
)
def test_the_quickstart_ends_what_it_runs(tmp_path, signum):
    tools = tmp_path / 'tools'
    tools.mkdir()
    for name in ('quickstart.sh', 'usage.sh'):
        shutil.copy(ROOT / 'tools' / name, tools)
    (tools / 'install.sh').write_text('touch started; exec sleep 60')
    process = subprocess.Popen(
        ['bash', tools / 'quickstart.sh'],
        start_new_session=True,
        # A shell cannot trap what was ignored when it started, as SIGINT is
        # for all that runs in the background.
        preexec_fn=lambda: signal.signal(signum, signal.SIG_DFL),
    )
    while not (tmp_path / 'started').exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signum)
    assert process.wait(timeout=10) == 128 + signum
    left = subprocess.run(
        ['ps', '-o', 'args=', '-s', str(process.pid)],
        capture_output=True,
        text=True,
    )
    assert left.stdout == ''

"""Where a training starts, and which earlier ones are kept."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmd2a.cli.launch import build_runner
from mmd2a.cli.start import Start, start_of_test, start_of_training
from mmd2a.cli.tool_config import UsageError


@pytest.fixture
def folder(tmp_path):
    """``folder(name, *checkpoints)``: the last one is the latest."""

    def make(name, *checkpoints):
        made = tmp_path / name
        made.mkdir()
        for checkpoint in checkpoints:
            (made / checkpoint).touch()
        (made / 'last_checkpoint').write_text(str(made / checkpoints[-1]))
        return made

    return make


def config(work_dir, **settings):
    return Config(dict(work_dir=str(work_dir), **settings))


def test_the_latest_checkpoint_is_found_even_when_moved(folder, tmp_path):
    moved = folder('run', 'epoch_3.pth').rename(tmp_path / 'moved')
    start = start_of_training(config(moved), 'auto')
    assert start.resume and Path(start.checkpoint) == moved / 'epoch_3.pth'
    (moved / 'epoch_3.pth').unlink()
    with pytest.raises(UsageError, match='is gone'):
        start_of_training(config(moved), 'auto')


def test_a_copied_folder_resumes_from_its_own_checkpoint(folder):
    original = folder('original', 'epoch_3.pth')
    copy = folder('copy', 'epoch_3.pth')
    (copy / 'last_checkpoint').write_text(str(original / 'epoch_3.pth'))
    start = start_of_training(config(copy), 'auto')
    assert Path(start.checkpoint) == copy / 'epoch_3.pth'
    (copy / 'epoch_3.pth').unlink()
    start = start_of_training(config(copy), 'auto')
    assert Path(start.checkpoint) == original / 'epoch_3.pth'


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(UsageError, match='no checkpoint no.pth'):
        start_of_training(config(tmp_path), 'no.pth')
    with pytest.raises(UsageError, match='no checkpoint no.pth'):
        start_of_test('no.pth')


def test_an_earlier_training_is_kept(folder, tmp_path):
    assert start_of_training(config(tmp_path / 'new'), None) is None
    run = folder('run', 'epoch_3.pth')
    with pytest.raises(UsageError, match='--resume.*--work-dir'):
        start_of_training(config(run), None)
    # Also one that somebody copied by its checkpoints alone.
    (run / 'last_checkpoint').unlink()
    with pytest.raises(UsageError, match='--resume.*--work-dir'):
        start_of_training(config(run), None)
    with pytest.raises(UsageError, match='has epoch_3.pth.*--resume PATH'):
        start_of_training(config(run), 'auto')


def test_weights_to_begin_with_stay_in_the_config(folder, tmp_path):
    cfg = config(tmp_path / 'new', load_from='weights.pth')
    assert start_of_training(cfg, 'auto') is None
    assert start_of_training(cfg, None) is None
    run = folder('run', 'epoch_1.pth')
    cfg = config(run, load_from='weights.pth', resume=False)
    start_of_training(cfg, 'auto')
    assert cfg.load_from == 'weights.pth' and not cfg.resume


def test_a_config_that_resumes_by_itself_is_followed_but_not_back(folder):
    run = folder('run', 'epoch_1.pth', 'epoch_2.pth')
    latest = str(run / 'epoch_2.pth')
    for settings in (dict(resume=True), dict(resume=True, load_from=latest)):
        cfg = config(run, **settings)
        assert start_of_training(cfg, None) == Start(latest, True)
        assert not cfg.resume and cfg.load_from is None
    earlier = dict(resume=True, load_from=str(run / 'epoch_1.pth'))
    with pytest.raises(UsageError, match='up to epoch_2.pth'):
        start_of_training(config(run, **earlier), None)
    # On purpose, or rather going on: the command is asked before the config.
    back = start_of_training(config(run, **earlier), earlier['load_from'])
    assert back == Start(earlier['load_from'], True)
    assert start_of_training(config(run, **earlier), 'auto').checkpoint == (
        latest
    )


def test_a_config_may_resume_from_another_folder(folder, tmp_path):
    run = folder('run', 'epoch_1.pth')
    elsewhere = dict(resume=True, load_from=str(run / 'epoch_1.pth'))
    for resume in (None, 'auto'):
        start = start_of_training(
            config(tmp_path / 'new', **elsewhere), resume
        )
        assert start == Start(elsewhere['load_from'], True)


def test_the_written_config_of_a_resumed_run_starts_nowhere(toy, tmp_path):
    toy().train()
    toy_config = toy().cfg
    toy_config.train_cfg.max_epochs = 3
    start = start_of_training(toy_config, 'auto')
    runner = build_runner(toy_config, 'none', start)
    runner.train()
    assert runner.iter == 12
    written = Config.fromfile(next((tmp_path / 'run').glob('*.py')))
    assert not written.get('resume') and not written.get('load_from')
    with pytest.raises(UsageError, match='earlier training'):
        start_of_training(written, None)

"""Checkpoints: plain, whole, and enough to go on as if nothing happened."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook

from mmd2a.engine.atomic_io import AtomicLocalBackend


def files(folder) -> set[str]:
    return {
        path.name
        for path in Path(folder).glob('*')
        if path.is_file() and path.suffix != '.py'
    }


def test_a_checkpoint_loads_without_trust(toy):
    runner = toy()
    runner.train()
    checkpoint = torch.load(
        f'{runner.work_dir}/epoch_2.pth', weights_only=True
    )
    assert {
        'state_dict',
        'ema_state_dict',
        'optimizer',
        'param_schedulers',
        'message_hub',
        'meta',
    } <= set(checkpoint)


def test_a_resumed_run_equals_one_never_interrupted(toy):
    whole = toy(work_dir='whole', **{'train_cfg.max_epochs': 4})
    whole.train()
    with pytest.raises(KeyboardInterrupt):
        toy(stop_after=2, **{'train_cfg.max_epochs': 4}).train()
    resumed = toy(resume=True, **{'train_cfg.max_epochs': 4})
    resumed.train()

    assert resumed.losses == whole.losses[8:]
    for (name, a), b in zip(
        whole.model.state_dict().items(), resumed.model.state_dict().values()
    ):
        assert torch.equal(a, b), name
    assert resumed.message_hub.get_info(
        'best_score'
    ) == whole.message_hub.get_info('best_score')
    np.testing.assert_array_equal(
        resumed.message_hub.get_scalar('train/loss').data[0],
        whole.message_hub.get_scalar('train/loss').data[0],
    )


def test_arrays_of_the_data_set_come_back_as_arrays(toy):
    runner = toy()
    runner.train()
    checkpoint = toy(custom_hooks=[]).load_checkpoint(
        f'{runner.work_dir}/epoch_2.pth'
    )
    meta = checkpoint['meta']['dataset_meta']
    np.testing.assert_array_equal(meta['sigmas'], [0.1, 0.2])
    assert isinstance(meta['sigmas'], np.ndarray)
    assert meta['names'] == ('a', 'b')


def test_old_files_go_and_best_stays(toy):
    runner = toy(**{'train_cfg.max_epochs': 4})
    runner.train()
    names = files(runner.work_dir)
    assert 'epoch_4.pth' in names and 'last_checkpoint' in names
    assert len([n for n in names if n.startswith('epoch_')]) == 1
    assert len([n for n in names if n.startswith('best_')]) == 1
    best = runner.message_hub.get_info('best_ckpt')
    assert Path(best).name in names
    torch.load(best, weights_only=True)


def test_the_old_checkpoint_goes_only_after_the_new_one_is_named(
    toy, monkeypatch
):
    seen = []
    remove = AtomicLocalBackend.remove

    def spy(self, path):
        latest = Path(runner.work_dir, 'last_checkpoint').read_text()
        torch.load(latest, weights_only=True)
        seen.append((Path(path).name, Path(latest).name))
        remove(self, path)

    monkeypatch.setattr(AtomicLocalBackend, 'remove', spy)
    runner = toy(**{'default_hooks.checkpoint.save_best': None})
    runner.train()
    assert seen == [('epoch_1.pth', 'epoch_2.pth')]


def test_a_full_disk_leaves_the_old_checkpoint_and_says_so(toy, monkeypatch):
    fsync = os.fsync

    def full(descriptor):
        if 'epoch_2' in os.readlink(f'/proc/self/fd/{descriptor}'):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, 'fsync', full)
    runner = toy()
    with pytest.raises(OSError, match='epoch_2.*No space left') as caught:
        runner.train()
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    latest = Path(runner.work_dir, 'last_checkpoint').read_text()
    assert Path(latest).name == 'epoch_1.pth'
    torch.load(latest, weights_only=True)
    assert not [
        n for n in os.listdir(runner.work_dir) if n.endswith('.incomplete')
    ]


def test_leftovers_of_a_killed_save_are_cleared(toy):
    runner = toy()
    leftover = Path(runner.work_dir, '.epoch_1.pth.incomplete')
    leftover.write_bytes(b'half')
    foreign = Path(runner.work_dir, '.notes')
    foreign.write_text('mine')
    runner.train()
    assert not leftover.exists() and foreign.exists()


def test_an_interrupted_deletion_is_made_up_for(toy, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(AtomicLocalBackend, 'remove', lambda self, path: None)
        toy().train()
    runner = toy(resume=True, **{'train_cfg.max_epochs': 3})
    assert 'epoch_1.pth' in files(runner.work_dir)
    runner.train()
    assert [n for n in files(runner.work_dir) if n.startswith('epoch_')] == [
        'epoch_3.pth'
    ]


def test_what_has_no_plain_form_is_refused_by_name(toy):

    class Careless(Hook):
        priority = 'NORMAL'

        def before_save_checkpoint(self, runner, checkpoint):
            checkpoint['my_state'] = dict(fn=[len])

    with pytest.raises(TypeError, match=r"my_state\['fn'\]\[0\]"):
        toy(hooks=[Careless()]).train()


def test_what_only_describes_the_run_is_left_out_with_a_warning(toy):

    class Talkative(Hook):
        priority = 'NORMAL'

        def before_train(self, runner):
            runner.message_hub.update_info('view', len)

    runner = toy(hooks=[Talkative()])
    runner.train()
    logs = list(Path(runner.work_dir).glob('*/*.log'))
    assert "message_hub['runtime_info']['view']" in logs[-1].read_text()
    toy(resume=True).train()


def test_published_checkpoints_load_without_trust(toy):
    runner = toy(
        **{'default_hooks.checkpoint.published_keys': ['meta', 'state_dict']}
    )
    runner.train()
    published = [n for n in files(runner.work_dir) if n.count('-') == 1]
    assert len(published) == 2  # last and best
    for name in published:
        assert set(
            torch.load(f'{runner.work_dir}/{name}', weights_only=True)
        ) == {'meta', 'state_dict'}


def test_checkpoints_by_iteration_resume(toy):

    def changes(max_iters):
        return {
            'train_cfg': dict(
                _delete_=True,
                type='IterBasedTrainLoop',
                max_iters=max_iters,
                val_interval=3,
            ),
            'train_dataloader.sampler.type': 'InfiniteSampler',
            'default_hooks.checkpoint.by_epoch': False,
            'default_hooks.checkpoint.interval': 3,
            'param_scheduler': None,
        }

    runner = toy(**changes(6))
    runner.train()
    assert 'iter_6.pth' in files(runner.work_dir)
    resumed = toy(resume=True, **changes(9))
    resumed.train()
    assert resumed.iter == 9 and len(resumed.losses) == 3

"""MMHuman3D's configs train, resume and evaluate under MMEngine's runner."""

from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

pytest.importorskip('mmhuman3d')

from mmd2a.engine import NonFiniteError

ONE_EPOCH = {'runner.max_epochs': 1}


class StopAfter(Hook):
    """End the training as Ctrl-C would, at the start of an epoch."""

    def __init__(self, epochs):
        self.epochs = epochs

    def before_train_epoch(self, runner):
        if runner.epoch == self.epochs:
            raise KeyboardInterrupt


class Spoil(Hook):
    """Make an image NaN."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        data_batch['img'][0] = float('nan')


def checkpoint(work_dir, epoch=2):
    return torch.load(f'{work_dir}/epoch_{epoch}.pth', weights_only=True)


@pytest.mark.parametrize('name', ['plain_hmr', 'spin'])
def test_a_training_evaluates_and_saves_what_anybody_may_load(runner, name):
    trained = runner(name, **ONE_EPOCH)
    trained.train()
    assert set(checkpoint('run', 1)['state_dict']) == set(
        trained.model.architecture.state_dict()
    )
    assert Path('run/last_checkpoint').read_text().endswith('epoch_1.pth')
    for metric in ('MPJPE', 'PA-MPJPE'):
        assert trained.message_hub.get_scalar(f'val/{metric}').current() > 0


def test_a_resumed_training_is_as_one_never_interrupted(runner):
    runner(
        'hmr', 'whole', checkpoint_config=dict(interval=2), evaluation=None
    ).train()
    with pytest.raises(KeyboardInterrupt):
        runner('hmr', 'parts', StopAfter(1)).train()
    runner(
        'hmr',
        'parts',
        resume=True,
        evaluation=dict(interval=2, save_best='pa-mpjpe'),
    ).train()
    assert list(Path('parts').glob('best_PA-MPJPE_epoch_2.pth'))
    whole, parts = checkpoint('whole'), checkpoint('parts')
    for key, value in whole['state_dict'].items():
        assert torch.equal(value, parts['state_dict'][key]), key
    assert set(whole['optimizer']) == {'backbone', 'head', 'disc'}
    for name, state in whole['optimizer'].items():
        assert (
            state['param_groups'] == parts['optimizer'][name]['param_groups']
        )
        # The learning rate went down after the first epoch.
        assert state['param_groups'][0]['lr'] == pytest.approx(1e-4)


def test_a_published_checkpoint_loads_and_ours_loads_back(runner):
    source = runner('hmr', 'source')
    theirs = source.model.architecture.state_dict()
    torch.save(
        dict(
            state_dict=theirs,
            meta=dict(
                mmhuman3d_version='0.9.0',
                epoch=3,
                iter=7,
                config='model = dict()',
                time='Mon Jan 3 00:00:00 2022',
            ),
        ),
        'published.pth',
    )
    loaded = runner('hmr', 'loaded', load_from='published.pth')
    loaded.load_or_resume()
    for key, value in loaded.model.state_dict().items():
        assert torch.equal(value, theirs[key]), key
    metrics = loaded.test()
    assert set(metrics) == {'PA-MPJPE', 'MPJPE'}
    assert Path('loaded/result_keypoints.json').is_file()

    from mmhuman3d.models.architectures.builder import build_architecture

    native = build_architecture(loaded.cfg.model.architecture)
    native.load_state_dict(loaded.model.state_dict(), strict=True)


def test_pretrained_weights_named_in_a_config_are_taken(runner):
    source = runner('hmr', 'source')
    torch.save(dict(state_dict=source.model.state_dict(), meta={}), 'own.pth')
    start = dict(type='Pretrained', checkpoint='own.pth')
    whole = runner('hmr', 'whole', **{'model.init_cfg': start}, seed=1)
    whole.model.init_weights()
    part = runner(
        'hmr',
        'part',
        **{'model.backbone.init_cfg': dict(start, prefix='backbone.')},
        seed=1,
    )
    part.model.init_weights()
    for model in (whole.model, part.model):
        for a, b in zip(
            model.backbone.parameters(), source.model.backbone.parameters()
        ):
            assert torch.equal(a, b)


def test_averaged_weights_have_the_same_names(runner):
    trained = runner('hmr', custom_hooks=[dict(type='EMAHook')], **ONE_EPOCH)
    trained.train()
    saved = checkpoint('run', 1)
    names = set(trained.model.architecture.state_dict())
    assert set(saved['state_dict']) == names
    assert {
        key.removeprefix('module.') for key in saved['ema_state_dict']
    } == names | {'steps'}


def test_nan_stops_the_training_before_it_is_learnt(runner):
    with pytest.raises(NonFiniteError, match='Gradients of'):
        runner('hmr', 'run', Spoil()).train()
    assert not list(Path('run').glob('*.pth'))


def test_training_by_iterations(runner):
    runner(
        'plain_hmr',
        runner=dict(_delete_=True, type='IterBasedRunner', max_iters=3),
        evaluation=None,
        checkpoint_config=dict(interval=2, save_last=False),
    ).train()
    assert Path('run/iter_2.pth').is_file()

"""The metric by which the best checkpoint is chosen has to be there."""

import pytest
import torch

from mmd2a.engine.best_checkpoint import SaveBestError


def test_a_metric_that_is_not_measured_is_named_with_those_that_are(toy):
    runner = toy(**{'default_hooks.checkpoint.save_best': 'MPJPE'})
    with pytest.raises(SaveBestError, match="'MPJPE', but there are error:"):
        runner.train()
    torch.load(f'{runner.work_dir}/epoch_1.pth', weights_only=True)


@pytest.mark.parametrize('key', ['other/MPJPE', 'MPJPE'])
def test_protocols_are_known_before_the_training(toy, key):
    name = 'synthetic_h36m14'
    runner = toy(
        val_evaluator=dict(
            _delete_=True, type='mmd2a.MeshMetric', protocols=[name]
        ),
        **{'default_hooks.checkpoint.save_best': key},
    )
    with pytest.raises(SaveBestError, match=f'protocols are {name}'):
        runner.train()
    assert runner.losses == []


def test_auto_follows_what_is_measured(toy, tmp_path):
    runner = toy(**{'default_hooks.checkpoint.save_best': 'auto'})
    runner.train()
    resumed = toy(
        resume=True,
        **{
            'default_hooks.checkpoint.save_best': 'auto',
            'train_cfg.max_epochs': 3,
        },
    )
    resumed.train()
    best = list((tmp_path / 'run').glob('best_error_epoch_*.pth'))
    assert len(best) == 1

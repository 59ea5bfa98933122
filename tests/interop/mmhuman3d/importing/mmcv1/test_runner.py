"""Checkpoints and optimisers as mmcv 1.x had them; runners refuse."""

import pytest
import torch
from torch import nn

from mmd2a.engine.checkpoint_loading import UntrustedCheckpointError
from mmd2a.interop.mmhuman3d.importing.mmcv1 import runner


@pytest.mark.parametrize(
    'name',
    [
        'BaseRunner',
        'EpochBasedRunner',
        'IterBasedRunner',
        'Hook',
        'EvalHook',
        'DistEvalHook',
        'OptimizerHook',
        'Fp16OptimizerHook',
        'CheckpointHook',
        'DistSamplerSeedHook',
        'LrUpdaterHook',
        'LoggerHook',
    ],
)
def test_parts_of_the_old_loop_can_be_subclassed_and_name_the_new(name):

    class Mine(getattr(runner, name)):
        def __init__(self, interval):
            self.interval = interval

    for make in (lambda: getattr(runner, name)(1), lambda: Mine(interval=1)):
        with pytest.raises(
            NotImplementedError, match=r"MMEngine's Runner.*tools/train.py"
        ):
            make()


def test_no_runner_is_built():
    with pytest.raises(NotImplementedError, match='EpochBasedRunner'):
        runner.build_runner(
            dict(type='EpochBasedRunner', max_epochs=1),
            default_args=dict(model=None),
        )


def checkpoint_of(model, prefix='', **more):
    weights = {
        prefix + name: value for name, value in model.state_dict().items()
    }
    return dict(state_dict=weights, meta=dict(epoch=3, CLASSES=None), **more)


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('bare', [False, True])
def test_weights_load_from_files_that_mmcv_1_wrote(tmp_path, prefix, bare):
    source, target = nn.Linear(2, 3), nn.Linear(2, 3)
    checkpoint = checkpoint_of(source, prefix)
    file = str(tmp_path / 'weights.pth')
    torch.save(checkpoint['state_dict'] if bare else checkpoint, file)
    loaded = runner.load_checkpoint(
        target, file, map_location='cpu', strict=True
    )
    assert torch.equal(source.weight, target.weight)
    assert bare or loaded['meta']['epoch'] == 3


def test_missing_weights_matter_when_strict(tmp_path):
    file = str(tmp_path / 'weights.pth')
    torch.save(dict(state_dict=dict(weight=torch.ones(3, 2))), file)
    runner.load_checkpoint(nn.Linear(2, 3), file)
    with pytest.raises(RuntimeError, match='bias'):
        runner.load_checkpoint(nn.Linear(2, 3), file, strict=True)


class Harmful:
    def __reduce__(self):
        return print, ('ran code of a checkpoint',)


def test_a_checkpoint_runs_no_code(tmp_path, capsys):
    file = str(tmp_path / 'weights.pth')
    torch.save(checkpoint_of(nn.Linear(2, 3), optimizer=Harmful()), file)
    with pytest.raises(UntrustedCheckpointError, match='print'):
        runner.load_checkpoint(nn.Linear(2, 3), file)
    assert 'ran code' not in capsys.readouterr().out


def test_reading_a_checkpoint_leaves_mmengines_loaders_alone(tmp_path):
    from mmengine.runner import CheckpointLoader

    before = dict(CheckpointLoader._schemes)
    file = str(tmp_path / 'weights.pth')
    torch.save(checkpoint_of(nn.Linear(2, 3)), file)
    runner.load_checkpoint(nn.Linear(2, 3), file)
    assert CheckpointLoader._schemes == before


def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path):
    file = str(tmp_path / 'list.pth')
    torch.save([1, 2], file)
    with pytest.raises(RuntimeError, match='no weights but a list'):
        runner.load_checkpoint(nn.Linear(2, 3), file)


def test_an_optimizer_of_anything_with_parameters():

    class Parameters:  # MMHuman3D fits bodies by such a list
        def parameters(self):
            return [nn.Parameter(torch.zeros(3))]

    cfg = dict(type='LBFGS', lr=0.5, max_iter=20)
    optimizer = runner.build_optimizer(Parameters(), cfg)
    assert isinstance(optimizer, torch.optim.LBFGS)
    assert optimizer.param_groups[0]['lr'] == 0.5
    assert cfg == dict(type='LBFGS', lr=0.5, max_iter=20)


def test_parameters_may_differ_in_their_rates():
    model = nn.ModuleDict(dict(backbone=nn.Linear(2, 2), head=nn.Linear(2, 2)))
    optimizer = runner.build_optimizer(
        model,
        dict(
            type='SGD',
            lr=1.0,
            constructor='DefaultOptimizerConstructor',
            paramwise_cfg=dict(custom_keys={'backbone': dict(lr_mult=0.1)}),
        ),
    )
    rates = sorted({group['lr'] for group in optimizer.param_groups})
    assert rates == pytest.approx([0.1, 1.0])

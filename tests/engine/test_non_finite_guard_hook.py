"""NaN does not reach weights or checkpoints, and does not go unnoticed."""

from pathlib import Path

import pytest
import torch
from mmengine.hooks import Hook

from mmd2a.engine import NonFiniteError, NonFiniteGuardHook


class Poison(Hook):
    """Multiply the loss of chosen iterations by NaN, or spoil a state."""

    priority = 'HIGHEST'

    def __init__(self, at=(), weight_at=None, statistics_at=None):
        self.at = at
        self.weight_at = weight_at
        self.statistics_at = statistics_at
        self.states = {}

    def before_train(self, runner):
        model, compute = runner.model, runner.model.forward

        def forward(*args, mode='tensor', **kwargs):
            out = compute(*args, mode=mode, **kwargs)
            if mode == 'loss' and runner.iter in self.at:
                out['loss_line'] = out['loss_line'] * float('nan')
            return out

        model.forward = forward

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.states[runner.iter] = {
            name: p.detach().clone()
            for name, p in runner.model.named_parameters()
        }
        if runner.iter == self.statistics_at:
            runner.model.norm.running_mean.fill_(float('nan'))

    def after_train_iter(
        self, runner, batch_idx, data_batch=None, outputs=None
    ):
        if runner.iter == self.weight_at:
            runner.model.last.bias.data.fill_(float('inf'))


def test_training_stops_before_the_weights_are_touched(toy):
    poison = Poison(at=(2,))
    runner = toy(hooks=[poison], custom_hooks=[])
    with pytest.raises(NonFiniteError) as caught:
        runner.train()
    message = str(caught.value)
    assert 'iteration 3' in message and 'loss_line' in message
    assert 'layer.weight' in message and 'learning rate' in message
    for name, param in runner.model.named_parameters():
        assert torch.equal(param, poison.states[2][name]), name


def test_a_few_bad_steps_may_be_dropped(toy):
    poison = Poison(at=(1, 2, 5))
    runner = toy(hooks=[poison], **{'default_hooks.guard.max_skipped': 2})
    runner.train()
    for bad in (1, 2, 5):
        for name, value in poison.states[bad + 1].items():
            assert torch.equal(value, poison.states[bad][name]), name
    assert not torch.equal(
        poison.states[4]['last.weight'], poison.states[3]['last.weight']
    )
    log = next(Path(runner.work_dir).glob('*/*.log')).read_text()
    assert log.count('Step dropped') == 3


def test_too_many_bad_steps_in_a_row_stop_training(toy):
    with pytest.raises(NonFiniteError, match='iteration 4'):
        toy(
            hooks=[Poison(at=(1, 2, 3))],
            **{'default_hooks.guard.max_skipped': 2},
        ).train()


def test_a_step_is_not_dropped_when_statistics_are_spoilt(toy):
    with pytest.raises(NonFiniteError, match='norm.running_mean'):
        toy(
            hooks=[Poison(at=(2,), statistics_at=2)],
            **{'default_hooks.guard.max_skipped': 9},
        ).train()


def test_spoilt_weights_never_replace_a_good_checkpoint(toy):
    # After the last step of epoch 2: no loss is computed from the weights.
    runner = toy(hooks=[Poison(weight_at=7)])
    with pytest.raises(NonFiniteError, match='last.bias'):
        runner.train()
    latest = Path(runner.work_dir, 'last_checkpoint').read_text()
    assert Path(latest).name == 'epoch_1.pth'
    state = torch.load(latest, weights_only=True)['state_dict']
    assert all(value.isfinite().all() for value in state.values())


def test_samples_of_the_batch_are_named():
    from mmengine.structures import BaseDataElement

    from mmd2a.engine.non_finite_guard_hook import _sample_names

    sample = BaseDataElement(metainfo=dict(img_path='a/b.jpg'))
    assert _sample_names(dict(data_samples=[sample])) == ['a/b.jpg']
    assert _sample_names([1]) == []


@pytest.mark.parametrize('fused', [False, True])
def test_steps_that_a_gradient_scaler_drops_do_not_count(fused):
    param = torch.nn.Parameter(torch.ones(3))
    optimizer = torch.optim.AdamW([param], fused=fused)
    hook = NonFiniteGuardHook()
    optimizer.register_step_pre_hook(
        lambda *_: hook._drop_bad_step(optimizer, {param: 'param'})
    )
    scaler = torch.amp.GradScaler('cpu', init_scale=4.0)
    scaler.scale((param * float('inf')).sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert not hook._bad_gradients
    assert torch.equal(param, torch.ones(3))
    assert scaler.get_scale() < 4

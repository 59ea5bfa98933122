"""A resumed training goes on as the config says, as if never stopped."""

import pytest
import torch
from mmengine.hooks import Hook

from mmd2a.engine import resume_hook
from mmd2a.engine.checkpoint_loading import CheckpointError

WARM_UP = dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=6)
# Where nothing says when it ends, it ends with the training.
COSINE = dict(type='CosineAnnealingLR', eta_min=1e-3, by_epoch=False)
BY_EPOCH = dict(type='CosineAnnealingLR', eta_min=1e-3, by_epoch=True)
STEPS = dict(type='MultiStepLR', milestones=[1, 3], by_epoch=True)


class Rates(Hook):
    """The learning rate of every iteration, by its number."""

    priority = 'NORMAL'

    def __init__(self):
        self.rates = {}

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.rates[runner.iter] = runner.optim_wrapper.get_lr()['lr'][0]


def rates(toy, epochs, schedule, work_dir, resume=False):
    hook = Rates()
    runner = toy(
        hooks=[hook],
        work_dir=str(work_dir),
        resume=resume,
        **{'train_cfg.max_epochs': epochs, 'param_scheduler': schedule},
    )
    runner.train()
    return hook.rates


@pytest.mark.parametrize(
    'schedule',
    [
        [WARM_UP, COSINE],
        [BY_EPOCH],
        [WARM_UP, STEPS],
        [WARM_UP, dict(COSINE, begin=6)],
    ],
    ids=['by iteration', 'by epoch', 'steps', 'one after another'],
)
def test_a_longer_training_has_the_schedule_of_a_longer_training(
    toy, tmp_path, schedule
):
    whole = rates(toy, 5, schedule, tmp_path / 'whole')
    rates(toy, 2, schedule, tmp_path / 'parts')
    resumed = rates(toy, 5, schedule, tmp_path / 'parts', resume=True)
    assert min(resumed) == 2 * len(whole) / 5
    for iteration, rate in resumed.items():
        assert rate == pytest.approx(whole[iteration], rel=1e-12)


def test_a_changed_schedule_is_followed(toy, tmp_path):
    rates(toy, 2, [STEPS], tmp_path)
    resumed = rates(
        toy,
        3,
        [dict(STEPS, milestones=[1, 2], gamma=0.5)],
        tmp_path,
        resume=True,
    )
    assert [*resumed.values()] == pytest.approx([0.05 * 0.25] * len(resumed))


@pytest.mark.parametrize(
    'schedule',
    [
        [WARM_UP, dict(COSINE, end=12)],
        # What depends on metrics cannot be computed anew.
        [dict(type='ReduceOnPlateauLR', monitor='error', by_epoch=True)],
    ],
    ids=['the same', 'by metrics'],
)
def test_otherwise_the_state_of_the_checkpoint_stays(
    toy, tmp_path, schedule, monkeypatch
):
    monkeypatch.setattr(resume_hook, '_replay', None)
    whole = rates(toy, 3, schedule, tmp_path / 'whole')
    rates(toy, 2, schedule, tmp_path / 'parts')
    resumed = rates(toy, 3, schedule, tmp_path / 'parts', resume=True)
    assert resumed == {i: whole[i] for i in resumed}


def test_without_a_seed_the_shuffling_goes_on_as_well(toy, tmp_path):
    whole = toy(
        randomness=dict(seed=None),
        work_dir=str(tmp_path / 'run'),
        **{'default_hooks.checkpoint.max_keep_ckpts': -1},
    )
    whole.train()
    parts = toy(
        randomness=dict(seed=None),
        work_dir=str(tmp_path / 'run'),
        load_from=str(tmp_path / 'run' / 'epoch_1.pth'),
        resume=True,
    )
    assert parts.seed != whole.seed
    parts.train()
    assert parts.losses == whole.losses[len(whole.losses) // 2 :]


def test_a_checkpoint_of_another_kind_is_refused(toy, tmp_path):
    weights = toy().model.state_dict()
    torch.save(
        dict(state_dict=weights, optimizer={}, meta=dict(epoch=1, iter=3)),
        tmp_path / 'old.pth',
    )
    runner = toy(load_from=str(tmp_path / 'old.pth'), resume=True)
    with pytest.raises(CheckpointError, match='load_from=CHECKPOINT'):
        runner.train()
    toy(load_from=str(tmp_path / 'old.pth')).train()

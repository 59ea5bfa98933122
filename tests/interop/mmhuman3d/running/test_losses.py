"""Every loss of ours in HMR of MMHuman3D: it trains, or one line says no."""

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.runner import set_random_seed

pytest.importorskip('mmhuman3d')

from mmd2a.interop.mmhuman3d.settings.translation import translate_config
from mmd2a.registry import DATASETS, FUNCTIONS, MODELS

SLOTS = (
    'loss_keypoints3d',
    'loss_keypoints2d',
    'loss_vertex',
    'loss_smpl_pose',
    'loss_smpl_betas',
)
TAKING_PART = {'JointLoss', 'VertexLoss'}


def ours() -> list[str]:
    MODELS.import_from_location()
    return sorted(
        name
        for name, part in MODELS.module_dict.items()
        if part.__module__.startswith('mmd2a.') and name.endswith('Loss')
    )


@pytest.fixture
def load(data_here, tiny_configs):
    def load(**losses):
        cfg = Config.fromfile(tiny_configs / 'hmr.py')
        for slot, loss in losses.items():
            cfg.model[slot] = loss
        cfg = translate_config(cfg)
        torch.manual_seed(0)
        return cfg, MODELS.build(cfg.model)

    return load


@pytest.fixture
def step(load):
    """One step of training with such losses; returns what is logged."""

    def step(**losses):
        cfg, model = load(**losses)
        model.init_weights()
        set_random_seed(0)  # of crops, flips and dropout
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        collate = FUNCTIONS.get(cfg.train_dataloader.collate_fn.type)
        batch = collate([dataset[i] for i in range(3)])
        wrapper = build_optim_wrapper(model.train(), cfg.optim_wrapper)
        return model.train_step(batch, wrapper)

    return step


def test_our_losses_of_points_are_what_theirs_are(step):
    theirs = step(
        **{
            slot: dict(type='L1Loss', loss_weight=3.0 + i)
            for i, slot in enumerate(SLOTS)
        }
    )
    for name in sorted(TAKING_PART):
        log = step(
            **{
                slot: dict(type=f'mmd2a.{name}', loss_weight=3.0 + i)
                for i, slot in enumerate(SLOTS)
            }
        )
        assert log.keys() == theirs.keys()
        for key, value in log.items():
            assert value == pytest.approx(theirs[key], rel=1e-5), key


def test_what_cannot_take_part_is_refused_by_one_line(load, step):
    names = ours()
    assert len(names) >= 5 and TAKING_PART < set(names)
    for name in names:
        loss = dict(type=f'mmd2a.{name}')
        refused = [(load, 'loss_camera'), (load, 'loss_adv')]
        if name == 'SilhouetteLoss':  # the shapes are known when it is called
            refused += [(step, slot) for slot in SLOTS]
        elif name not in TAKING_PART:
            refused += [(load, slot) for slot in SLOTS]
        for run, slot in refused:
            with pytest.raises(ValueError) as error:
                run(**{slot: loss})
            message = str(error.value)
            assert name in message and '\n' not in message

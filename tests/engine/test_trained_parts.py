"""A part that no optimiser reaches is named before a training starts."""

import pytest
import torch
from mmengine.optim import OptimWrapper, OptimWrapperDict, build_optim_wrapper
from torch import nn

from mmd2a.engine.trained_parts import (
    UntrainedPartsError,
    require_every_part_trained,
    untrained_parts,
)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        self.head = nn.ModuleDict(dict(a=nn.Linear(2, 1), b=nn.Linear(2, 1)))
        self.scale = nn.Parameter(torch.ones(()))


def sgd(*parts):
    parameters = [p for part in parts for p in part.parameters()]
    return OptimWrapper(torch.optim.SGD(parameters, lr=1.0))


def test_the_largest_part_is_named():
    model = Model()
    assert untrained_parts(model, sgd(model)) == {}
    assert untrained_parts(model, sgd(model.head)) == {
        'scale': 1,
        'backbone': 4,
    }
    several = OptimWrapperDict(
        a=sgd(model.backbone[0]), b=sgd(model.head['b'])
    )
    assert untrained_parts(model, several) == {
        'scale': 1,
        'backbone.1': 2,
        'head.a': 2,
    }


def test_what_is_frozen_is_no_part_to_train():
    model = Model()
    model.backbone.requires_grad_(False)
    model.scale.requires_grad_(False)
    require_every_part_trained(model, sgd(model.head))


def test_a_parameter_of_two_parts_is_reached_by_one():
    model = Model()
    model.head['b'].weight = model.backbone[0].weight = nn.Parameter(
        torch.ones(2, 2)
    )
    assert untrained_parts(model.head, sgd(model.head)) == {}


def test_rates_per_parameter_drop_nothing():
    model = Model()
    wrapper = build_optim_wrapper(
        model,
        dict(
            optimizer=dict(type='SGD', lr=1.0),
            paramwise_cfg=dict(
                custom_keys={'head.a': dict(lr_mult=0.0)}, bias_lr_mult=2.0
            ),
        ),
    )
    require_every_part_trained(model, wrapper)


def test_the_error_names_all_of_them():
    model = Model()
    with pytest.raises(UntrainedPartsError) as error:
        require_every_part_trained(model, sgd(model.head['a']))
    text = str(error.value)
    assert 'scale (1 parameters), backbone (4 ' in text
    assert 'head.b (2 ' in text and '\n' not in text

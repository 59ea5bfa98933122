"""What the docstring of mmd2a.models says of every part."""

import inspect

import pytest
from mmengine.model import BaseModule
from torch import nn

from mmd2a.registry import MODELS

MODELS.import_from_location()
PARTS = [
    part
    for part in MODELS.module_dict.values()
    if inspect.isclass(part)
    and part.__module__.startswith(('mmd2a.models.', 'mmd2a.mixing.'))
]


@pytest.mark.parametrize('part', PARTS)
def test_a_part_is_a_base_module_if_a_config_may_initialise_it(part):
    takes = 'init_cfg' in inspect.signature(part.__init__).parameters
    assert issubclass(part, BaseModule) == takes
    assert issubclass(part, nn.Module)


def test_the_parts_are_found():
    assert {'D2AHMR', 'MeshObjective', 'DepthCrossAttentionNeck'} <= {
        part.__name__ for part in PARTS
    }

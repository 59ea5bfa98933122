"""An ``init_cfg`` that names a checkpoint gets weights from it, or says no."""

import pytest
import torch
from mmengine.model import BaseModule
from torch import nn

from mmd2a.engine.checkpoint_loading import (
    CheckpointError,
    restrict_checkpoint_loading,
)
from mmd2a.engine.pretrained_init import require_pretrained_weights


class Backbone(BaseModule):
    def __init__(self, **init_cfg):
        super().__init__(dict(type='Pretrained', **init_cfg))
        self.conv = nn.Conv2d(1, 2, 3)
        self.norm = nn.BatchNorm2d(2)


class Renaming(Backbone):
    """Reads what an older version of it has written."""

    def _load_from_state_dict(self, state, prefix, *args):
        for key in list(state):
            state[key.replace('old', 'conv')] = state.pop(key)


@pytest.fixture(autouse=True)
def matched(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    restrict_checkpoint_loading()
    require_pretrained_weights()


def save(prefix='', name='conv'):
    weight = torch.full((2, 1, 3, 3), 7.0)
    state = {f'{prefix}{name}.weight': weight}
    torch.save(dict(state_dict=state), 'source.pth')


@pytest.mark.parametrize(
    'saved, init_cfg',
    [
        ('', {}),
        ('backbone.', dict(prefix='backbone.')),
        ('backbone.', dict(prefix='backbone')),
        ('module.', {}),
        ('module.backbone.', dict(prefix='backbone')),
    ],
)
def test_what_fits_is_loaded(saved, init_cfg):
    save(saved)
    backbone = Backbone(checkpoint='source.pth', **init_cfg)
    backbone.init_weights()
    assert (backbone.conv.weight == 7).all()


def test_what_the_module_renames_is_loaded():
    save(name='old')
    backbone = Renaming(checkpoint='source.pth')
    backbone.init_weights()
    assert (backbone.conv.weight == 7).all()


@pytest.mark.parametrize(
    'saved, init_cfg, message',
    [
        ('backbone.', {}, r"fits.*backbone.conv.weight.*prefix='backbone\.'"),
        ('backbone.', dict(prefix='neck.'), r"prefix='neck\.'.*backbone\."),
        ('', dict(prefix='backbone.'), r'begin with conv\.'),
        ('backbone.', dict(prefix='back'), r"prefix='back'.*backbone\."),
    ],
)
def test_a_checkpoint_of_which_nothing_fits_is_named(saved, init_cfg, message):
    save(saved)
    with pytest.raises(CheckpointError, match=message) as error:
        Backbone(checkpoint='source.pth', **init_cfg).init_weights()
    assert 'init_cfg of Backbone' in str(error.value)
    assert 'source.pth' in str(error.value)


def test_another_shape_under_the_right_name_does_not_fit():
    state = {'conv.weight': torch.zeros(4, 1, 3, 3)}
    torch.save(state, 'source.pth')
    with pytest.raises(CheckpointError, match='no weight of source.pth fits'):
        Backbone(checkpoint='source.pth').init_weights()

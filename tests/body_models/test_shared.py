"""One body for all parts of a config."""

import inspect

import pytest
from mmengine.config import Config

from mmd2a import registry
from mmd2a.body_models import BodyMismatchError, share_body
from mmd2a.body_models.shared import TAKERS

SMPL = dict(path='SMPL.npz')


def test_every_part_that_takes_a_body_is_known():
    takers = set()
    for name in registry.__all__:
        table = getattr(registry, name)
        table.import_from_location()
        takers |= {
            key
            for key, part in table.module_dict.items()
            if part.__module__.startswith('mmd2a.')
            # A model hands them its body.
            and not part.__module__.startswith('mmd2a.models.heads.')
            and key != 'BodyFitter'
            and 'body_model' in inspect.signature(part).parameters
        }
    assert takers == set(TAKERS)


def test_the_body_reaches_lists_and_nested_parts():
    crop = dict(type='mmd2a.PersonCrop', size=8)
    cfg = Config(
        dict(
            body_model=SMPL,
            val_evaluator=[dict(type='Other'), dict(type='MeshMetric')],
            val_dataloader=dict(
                dataset=dict(datasets=[dict(pipeline=[crop])])
            ),
        )
    )
    share_body(cfg)
    assert 'body_model' not in cfg.val_evaluator[0]
    assert cfg.val_evaluator[1].body_model == SMPL
    [deep] = cfg.val_dataloader.dataset.datasets[0].pipeline
    assert deep.body_model == SMPL
    # Each has its own: nothing is shared that a later change could reach.
    assert deep.body_model is not cfg.body_model


def test_a_config_without_a_body_is_left_alone():
    parts = dict(val_evaluator=dict(type='mmd2a.MeshMetric'))
    cfg = Config(dict(parts))
    share_body(cfg)
    assert cfg.to_dict() == parts


def test_sharing_again_changes_nothing():
    """As when a dumped config is run."""
    cfg = Config(
        dict(body_model=SMPL, val_evaluator=dict(type='mmd2a.MeshMetric'))
    )
    share_body(cfg)
    once = cfg.to_dict()
    share_body(cfg)
    assert cfg.to_dict() == once


@pytest.mark.parametrize(
    'parts',
    [
        dict(body_model=dict(num_betas=5)),
        dict(model=dict(type='mmd2a.D2AHMR', body_model=dict(num_betas=5))),
        # The default is a body too.
        dict(model=dict(type='mmd2a.D2AHMR')),
    ],
)
def test_different_bodies_are_told_in_one_line(parts):
    metric = dict(type='mmd2a.MeshMetric', body_model=SMPL)
    with pytest.raises(BodyMismatchError) as error:
        share_body(Config(dict(parts, val_evaluator=metric)))
    message = str(error.value)
    assert 'val_evaluator.body_model' in message and 'SMPL.npz' in message
    assert '\n' not in message


def test_what_goes_without_saying_is_no_difference():
    share_body(
        Config(
            dict(
                body_model=dict(type='mmd2a.SMPLBodyModel', path=None),
                val_evaluator=dict(type='mmd2a.MeshMetric', body_model={}),
            )
        )
    )

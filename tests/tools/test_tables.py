"""Every row of every table of ablations can be trained."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.evaluator import Evaluator
from mmengine.registry import DefaultScope

from mmd2a.registry import DATASETS, MODELS

ANALYSIS = Path(__file__).parents[2] / 'tools' / 'analysis'
TABLES = sorted((ANALYSIS / 'tables').glob('*.py'))


@pytest.fixture(scope='module')
def people_folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp('people'))


@pytest.mark.slow
@pytest.mark.parametrize('path', TABLES, ids=lambda path: path.stem)
def test_every_row_takes_a_training_step(path, people_folder, monkeypatch):
    """On its own pipeline; what is to be trained gets a gradient.

    Its evaluation gives what the table shows.
    """
    pytest.importorskip('mmpose')
    monkeypatch.syspath_prepend(str(ANALYSIS))
    ablate = importlib.import_module('ablate')
    table = ablate.read_table(str(path))
    for row in table.rows:
        cfg = ablate.config_of(table, row)
        if 'mmhuman3d' in cfg.pretty_text:
            pytest.importorskip('mmhuman3d')
        with DefaultScope.overwrite_default_scope('mmd2a'):
            model, loss = _step(cfg, people_folder)
            assert np.isfinite(loss), row
            told = ablate.by_name(_evaluate(cfg, model, people_folder))
            shown = set(table.metrics) - {'seconds_per_step'}
            assert shown <= told.keys(), row


def _batch(dataset, folder):
    """Four people are enough."""
    dataset.update(data_root=folder, num_people=4, shard_size=4, num_workers=1)
    people = DATASETS.build(dataset)
    return pseudo_collate([people[i] for i in range(4)])


def _step(cfg, folder):
    """The model after a step, and its loss."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002  (it is what transforms draw from)
    batch = _batch(cfg.train_dataloader.dataset, folder)
    model = MODELS.build(cfg.model)
    model.init_weights()
    model.train()
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    optimizer = torch.optim.AdamW(trained.values(), lr=1e-4)
    data = model.data_preprocessor(batch, training=True)
    loss, _ = model.parse_losses(model(**data, mode='loss'))
    loss.backward()
    assert [n for n, p in trained.items() if p.grad is None] == []
    optimizer.step()
    with torch.no_grad():
        after, _ = model.parse_losses(model(**data, mode='loss'))
    return model, float(after)


def _evaluate(cfg, model, folder):
    """What the evaluation of the row calls its results."""
    batch = _batch(cfg.test_dataloader.dataset, folder)
    with torch.no_grad():
        samples = model.eval().test_step(batch)
    evaluator = Evaluator(cfg.test_evaluator)
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))

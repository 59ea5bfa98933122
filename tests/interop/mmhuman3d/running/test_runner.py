"""On the console a long message is a line, in the log file it is whole."""

import sys
import uuid
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.model import BaseModel

from mmd2a.interop.mmhuman3d.running.runner import MMHuman3DRunner
from mmd2a.registry import RUNNERS


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return inputs


def test_the_console_tells_where_the_rest_is(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    cfg = Config({f'setting_{number}': number for number in range(200)})
    runner = MMHuman3DRunner(
        Model(), 'run', cfg=cfg, experiment_name=uuid.uuid4().hex
    )
    runner.logger.info('one\ntwo')
    runner.logger.warning('\n'.join(f'warning {n}' for n in range(20)))
    out, err = capfd.readouterr()
    said = out + err
    [log] = Path('run').glob('*/*.log')
    assert f'Config: (201 lines, in {log})' in said
    assert 'setting_150' not in said and 'before_train_iter' not in said
    assert 'one\ntwo' in said and 'warning 19' in said
    assert all(
        part in log.read_text()
        for part in ('setting_150 = 150', 'before_train_iter', 'PyTorch: ')
    )


def test_the_file_of_a_brief_run_has_it_all(tmp_path, monkeypatch):
    """With --brief FILE standard output is that file."""
    cfg = Config({f'setting_{number}': number for number in range(200)})
    with (tmp_path / 'all.log').open('w', 1) as file:
        monkeypatch.setattr(sys, 'stdout', file)
        MMHuman3DRunner(
            Model(), str(tmp_path), cfg=cfg, experiment_name=uuid.uuid4().hex
        )
        monkeypatch.undo()
    assert 'setting_150 = 150' in (tmp_path / 'all.log').read_text()


def test_configs_name_it():
    assert RUNNERS.get('mmd2a.MMHuman3DRunner') is MMHuman3DRunner

"""What depth is worth to a lifter: known answers, and runs that go on."""

import importlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from tqdm import tqdm

ANALYSIS = Path(__file__).parents[2] / 'tools' / 'analysis'
JOINTS, CELL = 9, 32  # a grid of three by three over the crop


@pytest.fixture
def tools(monkeypatch):
    monkeypatch.syspath_prepend(str(ANALYSIS))
    return importlib.import_module('lifting'), importlib.import_module(
        'depth_bound'
    )


def made_people(lifting, count, seed):
    """Joints whose z nobody can tell from 2-D, and depth that shows it."""
    torch.manual_seed(seed)
    place = (torch.arange(3) * 2 + 1) / 3 - 1
    flat = torch.cartesian_prod(place, place).flip(1).expand(count, -1, -1)
    z = 0.2 * (torch.rand(count, JOINTS) - 0.5)
    z = z - z.median(1, keepdim=True).values
    joints = torch.cat([0.5 * flat, z[..., None]], -1)
    # The wall of each joint, at an unknown distance, in units of 0.6 m.
    cells = (z + 0.3 * torch.rand(count, 1)).view(count, 3, 3) / 0.6
    maps = cells.repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)
    nothing = torch.full_like(maps, torch.nan)
    depth = {0.0: maps.numpy(), 9.0: nothing.numpy()}
    return lifting.People(flat, joints, depth)


def test_depth_that_is_exact_tells_z_and_blanked_depth_does_not(tools):
    lifting, _ = tools
    people = made_people(lifting, 200, 0)
    test, bar = made_people(lifting, 100, 1), tqdm(disable=True)
    lifter = lifting.train_lifter(people, 0.0, 0, 10, bar)
    errors = {
        level: lifting.carry_out(0.0, level, 0, lifter, people, test, 60, bar)
        for level in (lifting.BLANKED, 0.0, 9.0)
    }
    blanked = errors[lifting.BLANKED]['MPJPE-z']
    assert errors[0.0]['MPJPE-z'] < 0.5 * blanked
    # A map without depth is blanked depth: the same weights, to the digit.
    assert errors[9.0] == errors[lifting.BLANKED]
    again = lifting.carry_out(0.0, 0.0, 0, lifter, people, test, 60, bar)
    assert again == errors[0.0]


def test_the_table_pairs_runs_by_seed(tools):
    _, depth_bound = tools
    results = [
        dict.fromkeys(depth_bound.METRICS, value)
        | dict(noise=2.0, level=level, seed=seed)
        for level, values in (('blanked', (100, 50)), (0.0, (90, 45)))
        for seed, value in enumerate(values)
    ]
    report = dict(
        protocol=dict(people=10, test=5, steps=1),
        commit='abc',
        machine='m',
        results=results,
    )
    table = depth_bound.as_markdown(report)
    row = '| 2 | exact |' + ' 67.5 (-10.0 ± 0.0 %) |' * 4
    assert row in table.splitlines()


@pytest.mark.slow
def test_a_finished_run_is_not_done_again(run_tool, tmp_path):
    command = (
        'analysis/depth_bound.py --noises 2 --levels 1 0 --people 8 --test 4 '
        '--steps 3 --image-size 64 --data-root people --work-dir out'
    ).split()
    printed = run_tool(*command, '--seeds', '0').stdout
    assert '| 2 | level 1 |' in printed and '| 2 | exact |' in printed
    runs = sorted((tmp_path / 'out' / 'runs').iterdir())
    assert len(runs) == 3
    before = {run: run.stat().st_mtime_ns for run in runs}
    run_tool(*command, '--seeds', '0', '1')
    assert before == {run: run.stat().st_mtime_ns for run in runs}
    assert len(list((tmp_path / 'out' / 'runs').iterdir())) == 6
    report = json.loads((tmp_path / 'out' / 'depth_bound.json').read_text())
    assert np.isfinite([row['MPJPE'] for row in report['results']]).all()
    refused = run_tool(*command, '--steps', '4', ok=False)
    assert 'take another --work-dir' in refused.stderr + refused.stdout

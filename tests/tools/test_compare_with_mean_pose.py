"""Meshes are compared, whatever else a run measures."""

import json
import runpy
from pathlib import Path

import pytest
from mmengine.config import Config

from mmd2a.cli.tool_config import UsageError
from mmd2a.evaluation import MeshMetric

PATH = Path(__file__).parents[2] / 'tools/analysis/compare_with_mean_pose.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(PATH))


def test_the_metric_of_meshes_is_found_among_others(tool):
    find = tool['mesh_metric']
    other = dict(type='mmd2a.CalibrationMetric')
    for kind in ('mmd2a.MeshMetric', 'MeshMetric', MeshMetric):
        mesh = dict(type=kind, protocols=('h36m_p1',))
        for evaluators in (mesh, [other, mesh]):
            cfg = Config(dict(test_evaluator=evaluators))
            assert find(cfg)['protocols'] == ('h36m_p1',)
    with pytest.raises(UsageError, match='test_evaluator has no'):
        find(Config(dict(test_evaluator=[other])))


def test_numbers_of_other_metrics_are_no_rows(tool, tmp_path):
    results = {f'p/{name}': 100.0 for name in tool['NAMES']}
    results |= {'calibration/ECE': 0.01, 'p/num_samples': 3}
    path = tmp_path / 'results.json'
    path.write_text(json.dumps(results))
    constant = {'mean-pose predictor': dict.fromkeys(results, 200.0)}
    del constant['mean-pose predictor']['calibration/ECE']
    text = tool['table'](dict(model=tool['read_results'](str(path))), constant)
    assert 'calibration' not in text
    assert [line.split('  ')[0] for line in text.split('\n')] == [
        'protocol p, mm',
        '',
        'mean-pose predictor',
        'model',
        'model - mean-pose predictor',
    ]
    del results['p/PVE']
    path.write_text(json.dumps(results))
    with pytest.raises(UsageError, match='has no p/PVE'):
        tool['read_results'](str(path))

"""The temperature of a validation set goes into the checkpoint."""

import importlib
import json
from pathlib import Path

import pytest
import torch

from mmd2a.cli.tool_config import UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def fit(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT / 'tools' / 'weights'))
    tool = importlib.import_module('fit_temperature')

    def run(weights, calibration):
        path = tmp_path / 'epoch_1.pth'
        torch.save(dict(meta=dict(epoch=3), state_dict=weights), path)
        told = tmp_path / 'calibration.json'
        told.write_text(json.dumps(calibration))
        out = tmp_path / 'out.pth'
        monkeypatch.setattr('sys.argv', ['x', str(path), str(told), str(out)])
        tool.main()
        return torch.load(out, weights_only=True)

    return run


@pytest.mark.parametrize('before', [None, 2.0])
def test_the_factor_is_multiplied_in_and_the_rest_stays(fit, before):
    weights = {'flow_head.scale': torch.rand(3)}
    if before:
        weights['flow_head.temperature'] = torch.tensor(before)
    out = fit(weights, dict(metrics=dict(temperature=1.5)))
    assert out['meta'] == dict(epoch=3)
    assert torch.equal(
        out['state_dict']['flow_head.scale'], weights['flow_head.scale']
    )
    assert float(out['state_dict']['flow_head.temperature']) == 1.5 * (
        before or 1.0
    )


@pytest.mark.parametrize(
    ('weights', 'calibration', 'message'),
    [
        ({'head.x': torch.rand(1)}, dict(temperature=1.5), 'no flow_head'),
        ({'flow_head.x': torch.rand(1)}, dict(), 'no temperature'),
        ({'flow_head.x': torch.rand(1)}, dict(temperature=0), 'temperature'),
    ],
)
def test_what_does_not_go_together_is_told(fit, weights, calibration, message):
    with pytest.raises(UsageError, match=message):
        fit(weights, dict(metrics=calibration))

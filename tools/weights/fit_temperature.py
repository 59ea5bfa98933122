"""Scale the sigmas of a checkpoint to the errors of its validation set.

    python tools/test.py CONFIG CHECKPOINT --cfg-options \
        test_dataloader.dataset.split=val \
        test_evaluator="[dict(type='mmd2a.CalibrationMetric', \
        outfile_prefix='calibration_val')]"
    python tools/weights/fit_temperature.py CHECKPOINT calibration_val.json OUT

CalibrationMetric tells the one factor on all sigmas that makes the errors most
likely. It is multiplied into ``flow_head.temperature``, which acts in
evaluation only, of people who must not be those of the test. The rest of the
checkpoint stays as it is.

Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
"""

import argparse
import io
import math

import torch

from mmd2a.cli.checkpoint_names import checkpoint_address
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError, check_file
from mmd2a.engine.checkpoint_loading import read_checkpoint
from mmd2a.files import read_json, write_bytes

KEY = 'flow_head.temperature'


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('checkpoint')
    parser.add_argument('calibration', help='what CalibrationMetric wrote')
    parser.add_argument('out', help='checkpoint to write')
    args = parser.parse_args()
    check_file(args.calibration, 'calibration')
    metrics = read_json(args.calibration, top=dict).get('metrics', {})
    factor = metrics.get('temperature')
    if not isinstance(factor, (int, float)) or not 0 < factor < math.inf:
        raise UsageError(
            f'{args.calibration} tells no temperature: give what '
            'CalibrationMetric(outfile_prefix=...) wrote'
        )
    checkpoint = read_checkpoint(checkpoint_address(args.checkpoint), 'cpu')
    weights = checkpoint.get('state_dict', checkpoint)
    if not any(key.startswith('flow_head.') for key in weights):
        raise UsageError(f'{args.checkpoint} has no flow_head and no sigma')
    before = float(weights.get(KEY, 1.0))
    weights[KEY] = torch.tensor(before * factor)
    buffer = io.BytesIO()
    torch.save(checkpoint, buffer)
    write_bytes(args.out, buffer.getvalue())
    print(f'{KEY} {before:.4g} -> {before * factor:.4g}: {args.out}')


if __name__ == '__main__':
    run_tool(main)

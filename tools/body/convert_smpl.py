"""Convert licensed body files to npz files without pickles.

    python tools/body/convert_smpl.py SMPL_NEUTRAL.pkl --out ~/bodies
    export MMD2A_BODY_MODEL_DIR=~/bodies

takes the official files of SMPL (1.0 and 1.1, with chumpy objects too),
SMPL-H and SMPL-X (also with the locked head), pkl or npz, of any gender, and
joint regressors that are pickled (SMPLX_to_J14.pkl). Nothing in them is run,
and chumpy is not needed.

SMPL-H files without hands need those of MANO:

    python tools/body/convert_smpl.py smplh/male/model.npz --out ~/bodies \
        --mano-left MANO_LEFT.pkl --mano-right MANO_RIGHT.pkl
"""

import argparse
import os
from pathlib import Path

from mmd2a.body_models.conversion import (
    convert_body_file,
    convert_regressor_file,
    is_regressor_file,
)
from mmd2a.body_models.locating import BODY_MODEL_DIR
from mmd2a.cli.launch import run_tool
from mmd2a.cli.tool_config import UsageError


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('source', nargs='+', help='official files')
    parser.add_argument(
        '--out',
        help=f'folder to write to; default: ${BODY_MODEL_DIR}, or the folder '
        'of the source',
    )
    parser.add_argument(
        '--gender',
        choices=('neutral', 'male', 'female'),
        help='where the name of the file does not tell',
    )
    parser.add_argument('--mano-left', help='hands for a file of SMPL-H')
    parser.add_argument('--mano-right')
    args = parser.parse_args()
    if bool(args.mano_left) != bool(args.mano_right):
        raise UsageError('give both --mano-left and --mano-right, or none')
    return args


def main() -> None:
    """Convert each file and say what was written."""
    args = parse_args()
    mano = (args.mano_left, args.mano_right) if args.mano_left else None
    for source in args.source:
        out = args.out or os.environ.get(BODY_MODEL_DIR) or Path(source).parent
        if is_regressor_file(source):
            print(f'wrote {convert_regressor_file(source, out)}')
            continue
        body = convert_body_file(source, out, args.gender, mano)
        print(body.summary())


if __name__ == '__main__':
    run_tool(main)

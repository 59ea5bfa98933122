"""Make free stand-ins for the files that MMHuman3D's configs read.

    python tools/data/make_mmhuman3d_stand_ins.py --out data
    python tools/train.py path/to/mmhuman3d/configs/hmr/resnet50_hmr_pw3d.py \\
        --cfg-options model.backbone.init_cfg=None

Licensed body models and data sets are needed for results; these files, from
the embedded body and synthetic people, are for seeing a config run and learn.
README.txt in the folder says what each stands for.
"""

import argparse

from mmhuman3d_stand_ins import make_stand_ins


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--out',
        required=True,
        help='folder to fill; configs '
        "call it 'data', relative to where they are run",
    )
    parser.add_argument(
        '--people', type=int, default=64, help='people of each training set'
    )
    parser.add_argument('--image-size', type=int, default=256)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--num-workers',
        type=int,
        default=None,
        help='processes; all cores if not given',
    )
    return parser.parse_args()


def main() -> None:
    """Make the files."""
    args = parse_args()
    make_stand_ins(
        args.out, args.people, args.image_size, args.seed, args.num_workers
    )


if __name__ == '__main__':
    main()

"""Train a model from a config; the same as `mmd2a train`.

    python tools/train.py configs/d2a_hmr_hrnet.py
    python tools/train.py configs/d2a_hmr_hrnet.py --resume   # go on

Uses a GPU when there is one. Several GPUs or processes: tools/dist_train.sh.
An earlier training is not overwritten: a new one needs a new --work-dir.
"""

if __name__ == '__main__':
    from mmd2a.cli.start_tool import start_tool

    start_tool('train')

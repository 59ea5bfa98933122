"""Evaluate a checkpoint on the test set of a config; the same as `mmd2a test`.

    python tools/test.py configs/d2a_hmr_hrnet.py CHECKPOINT --out results.json

Uses a GPU when there is one. Several GPUs or processes: tools/dist_test.sh.
"""

if __name__ == '__main__':
    from mmd2a.cli.start_tool import start_tool

    start_tool('test')

"""Samples of any config are drawn, and their mistakes named."""

import json
import sys

import cv2
import numpy as np
import pytest
import show_samples

from mmd2a.cli.launch import run_tool
from mmd2a.datasets import SyntheticPeople
from mmd2a.files import read_image
from mmd2a.visualization import LABEL_TILE_NAMES, label_tiles

NUMBER = 8
CONFIG = """
pipeline = [
    dict(type='mmd2a.LoadFrame'),
    dict(type='mmd2a.PersonCrop', size=64),
    dict(type='mmd2a.PackBodySample'),
]
train_dataloader = dict(dataset=dict(
    type='RepeatDataset', times=2,
    dataset=dict(type='mmd2a.BodyDataset', ann_file='{file}',
                 pipeline=pipeline)))
default_scope = 'mmd2a'
"""


@pytest.fixture(scope='module')
def people(tmp_path_factory):
    return SyntheticPeople(
        str(tmp_path_factory.mktemp('people')),
        split='test',
        num_people=NUMBER,
        image_size=64,
        shard_size=NUMBER,
        num_workers=1,
    )


@pytest.fixture
def config(tmp_path, people):
    """``config(change)``: a config of people whose labels are changed."""

    def write(change=lambda entry: None):
        entries = []
        for i in range(NUMBER):
            entry = people.get_data_info(i)
            change(entry)
            entries.append(
                {
                    key: value.tolist() if hasattr(value, 'tolist') else value
                    for key, value in entry.items()
                    if key not in ('sample_idx', 'entry_id')
                }
            )
        file = tmp_path / 'people.json'
        file.write_text(json.dumps(dict(metainfo={}, data_list=entries)))
        path = tmp_path / 'config.py'
        path.write_text(CONFIG.format(file=file))
        return path

    return write


@pytest.fixture
def show(monkeypatch, tmp_path, capsys):
    """``show(*arguments) -> (exit code, output)`` of the tool."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(
            sys, 'argv', ['show_samples.py', *map(str, arguments)]
        )
        code: object = 0
        try:
            run_tool(show_samples.main)
        except SystemExit as error:
            code = error.code
        return code, capsys.readouterr().out

    return run


def test_a_sheet_is_drawn(show, config, tmp_path):
    code, out = show(config(), '--num', 2)
    assert code == 0 and 'wrote samples.png' in out
    sheet = read_image(tmp_path / 'samples.png')
    assert sheet.shape[1] > 4 * 256 and sheet.shape[0] > 2 * 256


def test_good_labels_pass(show, config):
    code, out = show(config(), '--check')
    assert code == 0 and 'SUSPECT' not in out
    assert f'{NUMBER * 2} of {NUMBER * 2} people looked at' in out
    assert 'all 12 checks that apply agree' in out


def test_a_mistake_is_named_and_ends_with_1(show, config):
    def ten_times(entry):
        entry['keypoints3d'] = entry['keypoints3d'] * 10

    code, out = show(config(ten_times), '--check')
    assert code == 1
    assert 'SUSPECT  unit of keypoints3d' in out and 'To fix' in out


def test_a_file_that_is_not_there_is_named(show, config):
    def lost(entry):
        entry['mask_path'] += '.gone'

    code, out = show(config(lost), '--check')
    assert code == 1
    assert 'SUSPECT  sample 0' in out and 'mask_path' in out


def test_a_config_without_data_is_told(show, config):
    code, _ = show(config(), '--loader', 'val')
    assert 'no val_dataloader.dataset' in str(code)
    code, _ = show(config(), '--num', 0)
    assert '--num must be positive' in str(code)


def test_tiles_show_labels_where_they_are(body):
    from mmd2a.body_models import joint_names
    from mmd2a.datasets.skeletons import skeleton_links
    from mmd2a.datasets.transforms import PackBodySample

    names = joint_names('h36m14')
    points = np.stack([np.arange(14) * 4 + 4.0, np.full(14, 20.0)], 1)
    weight = np.ones(14)
    weight[3] = 0
    mask = np.zeros((64, 64), np.uint8)
    mask[40:50, 10:30] = 255
    packed = PackBodySample()(
        dict(
            img=np.zeros((64, 64, 3), np.uint8),
            joint_set='h36m14',
            keypoints2d=points,
            keypoints2d_weight=weight,
            mask=mask,
        )
    )
    image = np.zeros((64, 64, 3), np.uint8)
    tiles = label_tiles(packed['data_samples'], image, names, [], side=256)
    assert list(tiles) == [LABEL_TILE_NAMES[0], LABEL_TILE_NAMES[2]]
    assert not image.any()
    joints = tiles[LABEL_TILE_NAMES[0]]
    for i, (x, y) in enumerate(points):
        color = joints[round(4 * y + 1.5), round(4 * x + 1.5)]
        assert color.any() == (i != 3)
        if names[i].startswith('left_') and i != 3:
            assert color.tolist() == [0, 255, 0]
    inside = tiles[LABEL_TILE_NAMES[2]].any(-1)
    found = cv2.boundingRect(inside.astype(np.uint8))
    np.testing.assert_allclose(found, [40, 160, 80, 40], atol=4)
    assert skeleton_links('h36m14')

"""The page on one's own data goes from photographs to meshes."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmd2a.datasets import SyntheticPeople
from mmd2a.files import read_image

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / 'docs' / 'your_data.md').read_text()
NUMBER = 6


def annotation(number, entry):
    """A person as a labelling tool writes it: joints and an outline."""
    flags = entry['keypoints2d_visibility']
    points = np.column_stack([entry['keypoints2d'], flags])
    points[flags == 0] = 0
    mask = (np.load(entry['mask_path']) == 255).astype(np.uint8)
    outlines, _ = cv2.findContours(
        mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    left, top, right, bottom = entry['bbox'].tolist()
    return dict(
        id=number,
        image_id=number,
        category_id=1,
        iscrowd=0,
        bbox=[left, top, right - left, bottom - top],
        keypoints=points.reshape(-1).tolist(),
        segmentation=[o.reshape(-1).tolist() for o in outlines if len(o) >= 3],
    )


@pytest.fixture
def folder(tmp_path):
    """Photographs that are none, and their labels."""
    people = SyntheticPeople(
        str(tmp_path / 'stand-ins'),
        split='test',
        num_people=NUMBER,
        image_size=192,
        shard_size=NUMBER,
        joint_set='coco17',
        looks='photo',
        num_workers=1,
    )
    (tmp_path / 'photos').mkdir()
    images, annotations = [], []
    for i in range(NUMBER):
        entry = people.get_data_info(i)
        name = f'{i:02d}.jpg'
        shutil.copy(entry['img_path'], tmp_path / 'photos' / name)
        images.append(dict(id=i, file_name=name, width=192, height=192))
        annotations.append(annotation(i, entry))
    (tmp_path / 'labels.json').write_text(
        json.dumps(
            dict(
                images=images,
                annotations=annotations,
                categories=[dict(id=1, name='person')],
            )
        )
    )
    return tmp_path


def few(config):
    """The config of the page, for fewer people and one epoch."""
    for text, other in (
        ('num_people=400,', 'num_people=8, shard_size=8,'),
        ('times=10', 'times=2'),
        ('batch_size=20', 'batch_size=4'),
        ('max_epochs=3', 'max_epochs=1'),
    ):
        assert config.count(text) == 1
        config = config.replace(text, other)
    return config


@pytest.mark.slow
def test_the_page_alone_leads_from_photographs_to_meshes(folder):
    pytest.importorskip('pycocotools')
    pytest.importorskip('mmpose')
    [config] = re.findall(r'```python\n(_base_.*?)```', PAGE, re.S)
    (folder / 'my_people.py').write_text(few(config))
    commands = [
        command
        for block in re.findall(r'```bash\n(.*?)```', PAGE, re.S)
        for command in block.replace('\\\n', ' ').splitlines()
        if 'my_people' in command
    ]
    assert len(commands) == 4
    for command in commands:
        words = command.replace('TOOLS', str(ROOT / 'tools')).split()
        words = [w.replace('epoch_3', 'epoch_1') for w in words]
        if words[0] == 'mmd2a':
            words[:1] = ['python', '-m', 'mmd2a.cli.main']
        done = subprocess.run(
            [sys.executable, *words[1:]],
            cwd=folder,
            env={
                **os.environ,
                'OMP_NUM_THREADS': '1',
                'CUDA_VISIBLE_DEVICES': '',
                'PYTHONPATH': str(ROOT),
            },
            capture_output=True,
            text=True,
            timeout=500,
        )
        told = done.stdout[-3000:] + done.stderr[-3000:]
        assert done.returncode == 0, f'{command}\n{told}'
    for i in range(NUMBER):
        drawn = read_image(folder / 'meshes' / f'{i:02d}_mesh.jpg')
        assert drawn.shape == (192, 192, 3)
        assert (folder / 'meshes' / f'{i:02d}.json').exists()
    assert read_image(folder / 'samples.png').size

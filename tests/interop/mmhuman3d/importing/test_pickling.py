"""Objects of MMHuman3D travel to other processes, and stay what they are."""

import copy
import pickle
import pickletools
import subprocess
import sys

import pytest
import torch

pytest.importorskip('mmhuman3d')

# Run by `-c`, so there is no script that a spawned worker would import again.
LOADERS = """
import mmd2a
import torch
from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel import DataContainer
from mmhuman3d.data.datasets import build_dataloader
from mmhuman3d.data.datasets.dataset_wrappers import ConcatDataset

people = [dict(img=torch.full((2, ), float(n)),
               meta=DataContainer(str(n), cpu_only=True)) for n in range(4)]
for context in ['fork', 'spawn']:
    loader = build_dataloader(
        ConcatDataset([people]), samples_per_gpu=2, workers_per_gpu=1,
        dist=False, shuffle=False, seed=0, multiprocessing_context=context)
    print(context, *(name for batch in loader
                     for name in batch['meta'].data[0]))
"""


def test_workers_get_their_data_set_forked_and_spawned():
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', LOADERS],
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'fork 0 1 2 3\nspawn 0 1 2 3\n'


def objects():
    from mmhuman3d.data.data_structures.human_data import HumanData
    from mmhuman3d.data.datasets.pipelines import Compose
    from mmhuman3d.models.backbones.resnet import ResNet

    people = HumanData.new(key_strict=False)
    people['image_path'] = ['one.png', 'two.png']
    return {
        'dict': people,
        'pipeline': Compose(
            [
                dict(
                    type='RandomHorizontalFlip',
                    flip_prob=0.5,
                    convention='smplx',
                )
            ]
        ),
        'module': ResNet(18),
    }


@pytest.mark.parametrize('kind', ['dict', 'pipeline', 'module'])
@pytest.mark.parametrize(
    'copied',
    [copy.deepcopy, copy.copy, lambda it: pickle.loads(pickle.dumps(it))],
)
def test_a_copy_is_equal_and_of_the_same_class(kind, copied):
    original = objects()[kind]
    again = copied(original)
    assert type(again) is type(original)
    assert again is not original
    if kind == 'module':
        for name, value in original.state_dict().items():
            torch.testing.assert_close(again.state_dict()[name], value)
    elif kind == 'dict':
        assert dict(again) == dict(original)
    else:
        assert again.transforms[0].flip_prob == 0.5


@pytest.mark.parametrize('kind', ['dict', 'pipeline', 'module'])
def test_the_bridge_is_imported_before_what_needs_it(kind):
    data = pickle.dumps(objects()[kind])
    words = [
        arg for _, arg, _ in pickletools.genops(data) if isinstance(arg, str)
    ]
    first = next(
        i for i, word in enumerate(words) if word.startswith('mmhuman3d')
    )
    assert 'mmd2a.interop.mmhuman3d.importing.pickling' in words[:first]


def test_changes_to_a_deep_copy_stay_there():
    original = objects()['module']
    again = copy.deepcopy(original)
    with torch.no_grad():
        again.conv1.weight.add_(1)
    assert not torch.equal(again.conv1.weight, original.conv1.weight)

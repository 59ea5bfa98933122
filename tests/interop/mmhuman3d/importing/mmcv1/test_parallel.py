"""Batches of containers as mmcv 1.x had them."""

import pickle

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from mmd2a.interop.mmhuman3d.importing.mmcv1.parallel import (
    DataContainer,
    MMDataParallel,
    MMDistributedDataParallel,
    collate,
    is_module_wrapper,
    scatter,
)

sizes = st.tuples(st.integers(1, 5), st.integers(1, 5))


@given(
    st.lists(sizes, min_size=1, max_size=6),
    st.integers(1, 6),
    st.floats(-9, 9, width=32),
)
def test_stacked_tensors_are_padded_at_the_end(shapes, per_device, value):
    samples = [
        DataContainer(torch.randn(3, *shape), stack=True, padding_value=value)
        for shape in shapes
    ]
    batch = collate(samples, per_device)
    assert len(batch.data) == -(-len(shapes) // per_device)
    for start, part in zip(range(0, len(shapes), per_device), batch.data):
        group = samples[start : start + per_device]
        assert part.shape == (
            len(group),
            3,
            max(len(g.data[0]) for g in group),
            max(g.data.shape[-1] for g in group),
        )
        for padded, sample in zip(part, group):
            _, height, width = sample.data.shape
            assert torch.equal(padded[:, :height, :width], sample.data)
            assert (padded[:, height:] == value).all()
            assert (padded[:, :, width:] == value).all()


def test_each_kind_of_field_is_batched_its_own_way():
    samples = [
        dict(
            image=torch.full((2,), float(n)),
            number=n,
            meta=DataContainer(dict(name=str(n)), cpu_only=True),
            boxes=DataContainer(torch.zeros(n, 4)),
            pair=[n, torch.ones(1)],
        )
        for n in range(2)
    ]
    batch = collate(samples, samples_per_gpu=2)
    assert batch['image'].tolist() == [[0.0, 0.0], [1.0, 1.0]]
    assert batch['number'].tolist() == [0, 1]
    assert batch['meta'].data == [[dict(name='0'), dict(name='1')]]
    assert batch['meta'].cpu_only
    assert [len(boxes) for boxes in batch['boxes'].data[0]] == [0, 1]
    assert batch['pair'][1].shape == (2, 1)

    unpacked = scatter(batch, [torch.device('cpu')])[0]
    assert unpacked['meta'] == [dict(name='0'), dict(name='1')]
    assert [len(boxes) for boxes in unpacked['boxes']] == [0, 1]


def test_no_padding_wants_equal_sizes():
    samples = [
        DataContainer(torch.zeros(n), stack=True, pad_dims=None)
        for n in (1, 2)
    ]
    with pytest.raises(RuntimeError, match='size'):
        collate(samples, 2)
    with pytest.raises(ValueError, match='pad_dims'):
        DataContainer(torch.zeros(1), pad_dims=4)


def test_a_batch_is_a_sequence():
    with pytest.raises(TypeError, match='sequence'):
        collate({1, 2})


def test_a_container_knows_its_tensor_and_travels():
    container = DataContainer(torch.zeros(2, 3), stack=True)
    again = pickle.loads(pickle.dumps(container))
    assert again.stack and again.size() == (2, 3) and again.size(1) == 3
    assert (again.dim(), len(again)) == (2, 2)
    assert again.datatype == 'torch.FloatTensor'
    assert DataContainer({}).datatype is dict
    with pytest.raises(AttributeError, match='holds a dict'):
        DataContainer({}).size()


class Model(nn.Module):
    def forward(self, image, meta, scale=1):
        return image * scale, meta

    def train_step(self, data, optimizer):
        return data['meta']

    def val_step(self, data, optimizer):
        return data['image']


def test_a_wrapped_model_gets_what_is_in_the_containers():
    model = MMDataParallel(Model())
    batch = collate(
        [
            dict(
                image=DataContainer(torch.ones(1), stack=True),
                meta=DataContainer('Ada', cpu_only=True),
            )
        ]
    )
    image, meta = model(**batch, scale=2)
    assert image.tolist() == [[2.0]] and meta == ['Ada']
    assert model.train_step(batch, optimizer=None) == ['Ada']
    assert model.val_step(batch, optimizer=None).tolist() == [[1.0]]
    assert is_module_wrapper(model)


def test_one_process_has_one_device():
    model = MMDataParallel(Model(), device_ids=[0, 1])
    with pytest.raises(NotImplementedError, match='dist_train.sh'):
        model(torch.ones(1), meta=None)


def test_training_steps_are_the_new_runners_business():
    model = MMDistributedDataParallel.__new__(MMDistributedDataParallel)
    for step in (model.train_step, model.val_step):
        with pytest.raises(NotImplementedError, match="MMEngine's Runner"):
            step({}, optimizer=None)

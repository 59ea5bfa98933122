"""Lists, padded and packed tensors; names that need PyTorch3D itself."""

import importlib
import inspect
import pkgutil

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmd2a.interop.mmhuman3d.importing import pytorch3d
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer import (
    BlendParams,
    MeshRenderer,
    TensorProperties,
    TexturesVertex,
    hard_rgb_blend,
)
from mmd2a.interop.mmhuman3d.importing.pytorch3d.structures import (
    Meshes,
    list_to_padded,
    padded_to_list,
    padded_to_packed,
)

LENGTHS = st.lists(st.integers(0, 5), min_size=1, max_size=4)


@given(LENGTHS)
def test_what_is_padded_comes_back(lengths):
    tensors = [torch.rand(length, 3) for length in lengths]
    padded = list_to_padded(tensors, pad_value=-1.0)
    assert padded.shape == (len(lengths), max(lengths), 3)
    for back, tensor, row in zip(
        padded_to_list(padded, lengths), tensors, padded
    ):
        assert back.equal(tensor)
        assert (row[len(tensor) :] == -1).all()
    packed = torch.cat(tensors)
    assert padded_to_packed(padded, split_size=lengths).equal(packed)
    assert padded_to_packed(padded, pad_value=-1.0).equal(packed)


def test_padding_can_be_larger_and_in_any_dimension():
    tensors = [torch.ones(1, 2), torch.ones(2, 1)]
    padded = list_to_padded(tensors, (3, 2))
    assert padded.shape == (2, 3, 2) and padded.sum() == 4
    assert [
        item.shape for item in padded_to_list(padded, [(1, 2), (2, 1)])
    ] == [(1, 2), (2, 1)]


def test_gradients_pass_through_padding():
    tensors = [
        torch.rand(2, 3, requires_grad=True),
        torch.rand(1, 3, requires_grad=True),
    ]
    padded_to_packed(
        list_to_padded(tensors), split_size=[2, 1]
    ).sum().backward()
    assert all(tensor.grad.eq(1).all() for tensor in tensors)


def test_equal_sizes_are_stacked():
    tensors = [torch.rand(2, 3)] * 2
    assert list_to_padded(tensors, equisized=True).equal(torch.stack(tensors))
    assert padded_to_packed(torch.stack(tensors)).shape == (4, 3)
    assert len(padded_to_list(torch.stack(tensors))) == 2


@pytest.mark.parametrize(
    'wrong, message',
    [
        (
            lambda: list_to_padded([torch.ones(1), torch.ones(1, 1)]),
            'dimensions',
        ),
        (lambda: list_to_padded([torch.ones(1)], (1, 2)), 'dimensions'),
        (lambda: padded_to_list(torch.ones(2, 3), [1]), '1 sizes for 2'),
        (lambda: padded_to_packed(torch.ones(2, 3)), r'\(N, M, C\)'),
        (
            lambda: padded_to_packed(torch.ones(1, 1, 1), [1], 0.0),
            'not by both',
        ),
    ],
)
def test_wrong_sizes_are_named(wrong, message):
    with pytest.raises(ValueError, match=message):
        wrong()


def test_numbers_and_tensors_form_one_batch():
    properties = TensorProperties(
        number=2,
        row=((1.0, 2.0),),
        tensor=torch.zeros(3, 2, 2),
        flag=True,
        name='x',
        nothing=None,
    )
    assert len(properties) == 3
    assert properties.number.equal(torch.full((3,), 2.0))
    assert properties.row.shape == (3, 2)
    assert (properties.flag, properties.name, properties.nothing) == (
        True,
        'x',
        None,
    )


def test_meshes_and_rendering_say_what_they_need():
    class Painted(TexturesVertex):
        """As MMHuman3D defines its own."""

    for need in (Meshes, MeshRenderer, BlendParams, Painted, hard_rgb_blend):
        with pytest.raises(NotImplementedError, match='pip install'):
            need(1, flag=True)
    assert not isinstance(torch.zeros(1), Meshes)


def test_every_name_below_pytorch3d_imports_and_is_documented():
    modules = [
        importlib.import_module(module.name)
        for module in pkgutil.walk_packages(
            pytorch3d.__path__, pytorch3d.__name__ + '.'
        )
    ]
    exported = [
        getattr(module, name)
        for module in modules
        for name in getattr(module, '__all__', ())
    ]
    assert len(exported) > 50 and all(map(inspect.getdoc, exported))

"""Batches of named tensors, and what stands for the rest of PyTorch3D."""

import importlib
import inspect
import pkgutil

import pytest
import torch

from mmd2a.interop.mmhuman3d.importing import pytorch3d
from mmd2a.interop.mmhuman3d.importing.pytorch3d.renderer import (
    TensorProperties,
)
from mmd2a.interop.mmhuman3d.importing.scoped_import import scoped_import


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
    pytest.importorskip('mmhuman3d')
    if importlib.util.find_spec('pytorch3d') is not None:
        pytest.skip('pytorch3d itself is installed')
    names = {
        'pytorch3d.structures': ['Meshes', 'list_to_padded'],
        'pytorch3d.structures.utils': ['padded_to_packed'],
        'pytorch3d.renderer': ['MeshRenderer', 'BlendParams'],
        'pytorch3d.renderer.mesh.textures': ['TexturesVertex'],
        'pytorch3d.renderer.lighting': ['PointLights'],
        'pytorch3d.ops': ['interpolate_face_attributes'],
        'pytorch3d.io': ['IO', 'save_obj'],
    }
    for module, wanted in names.items():
        found = scoped_import(module, {'__name__': 'mmhuman3d'}, None, wanted)
        for name in wanted:
            value = getattr(found, name)
            Own = type('Own', (value,), {})  # as MMHuman3D defines its own
            assert not isinstance(torch.zeros(1), value)
            for need in (value, Own):
                with pytest.raises(ImportError, match=f'{module}.{name} was'):
                    need(1, flag=True)


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
    assert len(exported) > 20 and all(map(inspect.getdoc, exported))

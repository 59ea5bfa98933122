import dataclasses

import pytest

from mmd2a.body_models import joint_sets
from mmd2a.evaluation import PROTOCOLS, Protocol, get_protocol


def test_protocols_cannot_be_changed():
    protocol = get_protocol('synthetic_h36m14')
    with pytest.raises(dataclasses.FrozenInstanceError):
        protocol.root = 'pelvis'
    with pytest.raises(TypeError):
        PROTOCOLS['synthetic_h36m14'] = protocol


@pytest.mark.parametrize('name', PROTOCOLS)
def test_every_named_protocol_can_be_carried_out(name):
    protocol = PROTOCOLS[name]
    assert protocol.name == name and protocol.description
    names = joint_sets.joint_names(protocol.joint_set)
    root = protocol.root_joints(names)
    assert root is None or len(root) > 0


def test_unknown_protocol_lists_the_known_ones():
    with pytest.raises(KeyError, match='3dpw_14') as error:
        get_protocol('3dpw')
    assert "'3dpw'" in str(error.value)


def test_roots_by_name():
    names = joint_sets.joint_names('h36m14')

    def root(value):
        return Protocol('p', 'h36m14', value).root_joints(names)

    assert {names[i] for i in root('mid_hip')} == {'left_hip', 'right_hip'}
    assert root(('neck',)) == (names.index('neck'),)
    assert root('pelvis') is None  # the body's root joint
    smpl24 = joint_sets.joint_names('smpl24')
    assert get_protocol('synthetic_smpl24').root_joints(smpl24) == (0,)


@pytest.mark.parametrize('root', ['neck', ('navel',), ('pelvis', 'neck')])
def test_a_root_that_does_not_exist_is_refused(root):
    protocol = Protocol('p', 'h36m14', root)
    with pytest.raises(ValueError, match='head_top'):
        protocol.root_joints(joint_sets.joint_names('h36m14'))


@pytest.mark.parametrize('field', ['target', 'vertex_alignment', 'gender'])
def test_unknown_rules_are_refused(field):
    with pytest.raises(ValueError, match=f'{field} must be one of'):
        Protocol('p', 'h36m14', 'mid_hip', **{field: 'whatever'})

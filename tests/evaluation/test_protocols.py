import dataclasses

import numpy as np
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


@pytest.mark.parametrize(
    'visibility, counts',
    [
        ([2, 2, 2, 1, 1], True),
        ([2, 2, 2, 2, 1], False),
        # What is outside of the image, or not labelled, says nothing.
        ([2, 2, 2, 1, 1, 0, 0], True),
        ([2, 2, 2, 2, 0, 0, 0, 0], False),
        ([0, 0], False),
        ([1, 1], True),
    ],
)
def test_people_are_occluded_by_their_share_of_hidden_joints(
    visibility, counts
):
    occluded = get_protocol('synthetic_h36m14_occluded')
    assert occluded.min_hidden == 0.4
    for told in (visibility, np.array(visibility, np.uint8)):
        sample = dict(sample_idx=0, keypoints2d_visibility=told)
        assert occluded.is_about(sample) == counts
        assert get_protocol('synthetic_h36m14').is_about(sample)


def test_occlusion_that_is_not_known_is_told():
    occluded = get_protocol('synthetic_h36m14_occluded')
    for sample in (dict(sample_idx=7), dict(keypoints2d_visibility=None)):
        with pytest.raises(ValueError, match='no keypoints2d_visibility'):
            occluded.is_about(sample)
        assert get_protocol('synthetic_h36m14').is_about(sample)


@pytest.mark.parametrize('share', [-0.1, 1.5])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match='min_hidden is a share'):
        Protocol('p', 'h36m14', 'mid_hip', min_hidden=share)

"""The joints of SMPL-H and SMPL-X have the places that smplx gives them."""

import re

import pytest

from mmd2a.body_models.families import FAMILIES, family_of


def smplx_name(name):
    """How smplx spells a joint of ours."""
    name = re.sub(r'_([123])$', r'\1', name)
    return re.sub(r'_eyeball$', '_eye_smplhf', name)


@pytest.mark.parametrize('model_type', ['smplh', 'smplx'])
def test_joints_are_in_the_order_of_smplx(model_type):
    names = pytest.importorskip('smplx.joint_names')
    theirs = dict(smplh=names.SMPLH_JOINT_NAMES, smplx=names.JOINT_NAMES)
    family = family_of(model_type)
    ours = [smplx_name(name) for name in family.joint_names]
    assert ours == list(theirs[model_type][: family.num_joints])


@pytest.mark.parametrize('family', FAMILIES.values(), ids=lambda f: f.name)
def test_the_tree_is_that_of_a_body(family):
    assert len(family.parents) == len(family.joint_names)
    assert 1 + sum(family.parts.values()) == family.num_joints
    assert all(p < joint for joint, p in enumerate(family.parents))
    names = family.joint_names
    for name, parent in zip(names[22:], family.parents[22:]):
        side, _, rest = name.partition('_')
        if rest.endswith(('_2', '_3')):  # A knuckle hangs on the last.
            expected = f'{name[:-1]}{int(name[-1]) - 1}'
        elif rest.endswith('_1') or rest == 'hand':
            expected = f'{side}_wrist'
        else:
            expected = 'head'
        assert names[parent] == expected
    # The body is that of SMPL.
    assert family.parents[:22] == FAMILIES[24].parents[:22]
    assert names[:22] == FAMILIES[24].joint_names[:22]

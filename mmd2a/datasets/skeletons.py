"""Bones of joint sets, for pictures: every joint hangs on another."""

import re

from mmd2a.body_models.joint_sets import SMPL_PARENTS, joint_names

__all__ = ['skeleton_links']

# Bones by the names of their ends; a joint set has those it has both ends of.
_BONES = (
    ('neck', 'head_top'),
    ('left_hip', 'right_hip'),
    ('left_shoulder', 'right_shoulder'),
    ('left_eye', 'right_eye'),
    ('pelvis', 'spine'),
    ('spine', 'neck'),
    ('pelvis', '{}_hip'),
    ('neck', '{}_shoulder'),
    ('nose', '{}_eye'),
    ('{}_eye', '{}_ear'),
    ('{}_ear', '{}_shoulder'),
    ('{}_shoulder', '{}_elbow'),
    ('{}_elbow', '{}_wrist'),
    ('{}_shoulder', '{}_hip'),
    ('{}_hip', '{}_knee'),
    ('{}_knee', '{}_ankle'),
)
# What a joint that none of these reaches hangs on: the first that is there.
# A group of the pattern may name it.
_ANCHORS = (
    (r'(.+)_(?:extra|openpose|3dhp|h36m|pt|[a-z0-9]+\d\d)', (r'\1',)),
    (r'(.+)_2', (r'\1_1',)),
    (r'(.+)_3', (r'\1_2',)),
    (r'(.+_(?:thumb|index|middle|ring|pinky))', (r'\1_3', r'\1_1')),
    (r'(left|right)_(?:.*toe|heel|foot.*)', (r'\1_ankle',)),
    (
        r'(left|right)_(?:thumb|index|middle|ring|pinky|hand).*',
        (r'\1_hand_root', r'\1_wrist'),
    ),
    (r'.*(?:clavicle|collar)', ('neck',)),
    (r'spine.*', ('spine', 'pelvis')),
    (
        r'.*(?:eye|ear|nose|mouth|lip|contour|jaw|head).*',
        ('nose', 'head', 'head_centre', 'neck'),
    ),
    (r'.*', ('neck', 'pelvis', 'left_hip', 'left_shoulder')),
)


def skeleton_links(joint_set: str) -> list[list[int]]:
    """Return index pairs of the bones of a set, which join all its joints.

    Example:
        >>> skeleton_links('h36m14')[0]
        [12, 13]
    """
    names = joint_names(joint_set)
    tree = joint_names('smpl24')
    if set(tree[:22]) <= set(names):
        bones = [
            (tree[parent], tree[i])
            for i, parent in enumerate(SMPL_PARENTS)
            if parent >= 0
        ]
    else:
        bones = [
            (start.format(side), end.format(side))
            for side in ('left', 'right')
            for start, end in _BONES
        ]
    links = [
        [names.index(start), names.index(end)]
        for start, end in dict.fromkeys(bones)
        if start in names and end in names
    ]
    return links + _rest(names, links)


def _rest(names: tuple[str, ...], links: list[list[int]]) -> list[list[int]]:
    """Links that hang what is apart on the largest part."""
    group = {i: {i} for i in range(len(names))}

    def join(start: int, end: int) -> None:
        both = group[start] | group[end]
        group.update(dict.fromkeys(both, both))

    for start, end in links:
        join(start, end)
    trunk = max(group.values(), key=len)
    found = []
    for i, name in enumerate(names):
        if i not in trunk:
            anchor = next(
                (a for a in _anchors(name, names) if a not in group[i]), None
            )
            if anchor is not None:
                found.append([anchor, i])
                join(anchor, i)
                trunk = max(trunk, group[i], key=len)
    return found


def _anchors(name: str, names: tuple[str, ...]) -> list[int]:
    """Joints on which one may hang, the best first."""
    anchors = []
    for pattern, templates in _ANCHORS:
        match = re.fullmatch(pattern, name)
        if match:
            anchors += [match.expand(template) for template in templates]
    return [
        names.index(anchor)
        for anchor in anchors
        if anchor in names and anchor != name
    ]

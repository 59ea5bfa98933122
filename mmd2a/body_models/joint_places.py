"""Where the joints of every set are in the body, by name.

A place is named as HumanData names it, the annotation format of MMHuman3D,
which tells 190 places apart: ``left_hip`` is a joint of SMPL's skeleton,
``left_hip_extra`` what people mark in photos, ``left_hip_openpose`` what
OpenPose finds. Two sets have a joint in common if they have its place.

Names and orders are those of MMHuman3D, core/conventions/keypoints_mapping
(Apache-2.0), but for the hips of COCO-WholeBody, which are those of COCO here.
"""

__all__ = ['HUMAN_DATA_PLACES', 'JOINT_PLACES', 'nearby_place']

_SIDES = ('left', 'right')
_FINGERS = ('thumb', 'index', 'middle', 'ring', 'pinky')


def _fingers(side: str, names: tuple[str, ...], tips: bool) -> tuple[str, ...]:
    """Knuckles 1 to 3 of each finger, and perhaps its tip."""
    return tuple(
        f'{side}_{name}{knuckle}'
        for name in names
        for knuckle in ('_1', '_2', '_3', *([''] if tips else []))
    )


_SMPL22 = (
    *('pelvis', 'left_hip', 'right_hip', 'spine_1'),
    *('left_knee', 'right_knee', 'spine_2', 'left_ankle', 'right_ankle'),
    *('spine_3', 'left_foot', 'right_foot', 'neck'),
    *('left_collar', 'right_collar', 'head'),
    *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
    *('left_wrist', 'right_wrist'),
)
# In the order of SMPL-X.
_KNUCKLES = tuple(
    place
    for side in _SIDES
    for place in _fingers(
        side, ('index', 'middle', 'pinky', 'ring', 'thumb'), tips=False
    )
)
_FEET = tuple(
    f'{side}_{part}'
    for side in _SIDES
    for part in ('bigtoe', 'smalltoe', 'heel')
)
# The 51 inner points of a face and its outline, in the order of 300-W.
_FACE = (
    *(f'right_eyebrow_{i}' for i in range(1, 6)),
    *(f'left_eyebrow_{i}' for i in range(5, 0, -1)),
    *(f'nosebridge_{i}' for i in range(1, 5)),
    *('right_nose_2', 'right_nose_1', 'nose_middle'),
    *('left_nose_1', 'left_nose_2'),
    *(f'right_eye_{i}' for i in range(1, 7)),
    *(f'left_eye_{i}' for i in (4, 3, 2, 1, 6, 5)),
    *('right_mouth_1', 'right_mouth_2', 'right_mouth_3', 'mouth_top'),
    *('left_mouth_3', 'left_mouth_2', 'left_mouth_1'),
    *('left_mouth_5', 'left_mouth_4', 'mouth_bottom'),
    *('right_mouth_4', 'right_mouth_5'),
    *('right_lip_1', 'right_lip_2', 'lip_top', 'left_lip_2', 'left_lip_1'),
    *('left_lip_3', 'lip_bottom', 'right_lip_3'),
)
_OUTLINE = (
    *(f'right_contour_{i}' for i in range(1, 9)),
    'contour_middle',
    *(f'left_contour_{i}' for i in range(8, 0, -1)),
)
_BODY_25 = tuple(
    f'{place}_openpose'
    for place in (
        *('nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist'),
        *('left_shoulder', 'left_elbow', 'left_wrist', 'pelvis'),
        *('right_hip', 'right_knee', 'right_ankle'),
        *('left_hip', 'left_knee', 'left_ankle'),
        *('right_eye', 'left_eye', 'right_ear', 'left_ear'),
        *_FEET,
    )
)

#: The 190 places of HumanData, in its order.
HUMAN_DATA_PLACES: tuple[str, ...] = (
    *_SMPL22,
    *('jaw', 'left_eyeball', 'right_eyeball'),
    *_KNUCKLES,
    *('nose', 'right_eye', 'left_eye', 'right_ear', 'left_ear'),
    *_FEET,
    *(f'{side}_{finger}' for side in _SIDES for finger in _FINGERS),
    *_FACE,
    *_OUTLINE,
    *('right_hip_extra', 'left_hip_extra', 'neck_extra', 'headtop'),
    *('pelvis_extra', 'thorax_extra', 'spine_extra'),
    *('jaw_extra', 'head_extra'),
    *_BODY_25,
    *('spine_4_3dhp', 'left_clavicle_3dhp', 'right_clavicle_3dhp'),
    *('left_hand_3dhp', 'right_hand_3dhp', 'left_toe_3dhp', 'right_toe_3dhp'),
    *('head_h36m', 'headtop_h36m', 'head_bottom_pt'),
    *('left_hand', 'right_hand'),
)

_COCO17 = (
    *('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear'),
    *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
    *('left_wrist', 'right_wrist', 'left_hip_extra', 'right_hip_extra'),
    *('left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
)
_LSP14 = (
    *('right_ankle', 'right_knee', 'right_hip_extra'),
    *('left_hip_extra', 'left_knee', 'left_ankle'),
    *('right_wrist', 'right_elbow', 'right_shoulder'),
    *('left_shoulder', 'left_elbow', 'left_wrist', 'neck_extra', 'headtop'),
)


def _leg(side: str) -> tuple[str, ...]:
    return (f'{side}_hip_extra', f'{side}_knee', f'{side}_ankle')


def _arm(side: str) -> tuple[str, ...]:
    return (f'{side}_shoulder', f'{side}_elbow', f'{side}_wrist')


def _h36m(first: str, second: str) -> tuple[str, ...]:
    return (
        'pelvis_extra',
        *_leg(first),
        *_leg(second),
        *('spine_extra', 'neck_extra', 'head_extra', 'headtop'),
        *_arm('left'),
        *_arm('right'),
    )


#: The places of the joints of each set, in its order.
JOINT_PLACES: dict[str, tuple[str, ...]] = {
    'smpl24': (*_SMPL22, 'left_hand', 'right_hand'),
    'h36m14': _LSP14,
    'coco17': _COCO17,
    'lsp14': _LSP14,
    'h36m17': _h36m('right', 'left'),
    'h36m17_spin': _h36m('left', 'right'),
    '3dhp17': (
        *('headtop', 'neck_extra', *_arm('right'), *_arm('left')),
        *(*_leg('right'), *_leg('left')),
        *('pelvis_extra', 'spine_extra', 'head_extra'),
    ),
    '3dhp28': (
        *('spine_3', 'spine_4_3dhp', 'spine_2', 'spine_extra'),
        *('pelvis_extra', 'neck_extra', 'head_extra', 'headtop'),
        *('left_clavicle_3dhp', *_arm('left'), 'left_hand_3dhp'),
        *('right_clavicle_3dhp', *_arm('right'), 'right_hand_3dhp'),
        *(*_leg('left'), 'left_foot', 'left_toe_3dhp'),
        *(*_leg('right'), 'right_foot', 'right_toe_3dhp'),
    ),
    'smplh52': (*_SMPL22, *_KNUCKLES),
    'smplx55': HUMAN_DATA_PLACES[:55],
    'coco133': (
        *_COCO17,
        *_FEET,
        *_OUTLINE,
        *_FACE,
        *('left_hand_root', *_fingers('left', _FINGERS, tips=True)),
        *('right_hand_root', *_fingers('right', _FINGERS, tips=True)),
    ),
    'blazepose33': (
        *('nose', 'left_eye_4', 'left_eye', 'left_eye_1'),
        *('right_eye_4', 'right_eye', 'right_eye_1'),
        *('left_ear', 'right_ear', 'left_mouth_1', 'right_mouth_1'),
        *(
            f'{side}_{part}'
            for part in (
                *('shoulder', 'elbow', 'wrist', 'pinky_1', 'index_1'),
                *('thumb_1', 'hip', 'knee', 'ankle', 'heel', 'foot'),
            )
            for side in _SIDES
        ),
    ),
    'body25': _BODY_25,
    'human_data190': HUMAN_DATA_PLACES,
}

_KINDS = ('_extra', '_openpose', '_3dhp', '_h36m')
# SMPL's head is where it meets the neck, the others' is its middle.
_OTHER_PLACES = dict(head_extra='head_centre', head_h36m='head_centre')


def nearby_place(place: str) -> str:
    """Name what a place has in common with those that are close to it.

    Two places of one name are a few centimetres apart at most.

    Example:
        >>> nearby_place('left_hip_extra'), nearby_place('left_hip')
        ('left_hip', 'left_hip')
    """
    for kind in _KINDS:
        if place.endswith(kind):
            return _OTHER_PLACES.get(place, place.removesuffix(kind))
    return place

"""Named evaluation protocols: what a number in millimetres means.

Two papers' "MPJPE" differ by millimetres for reasons that have nothing to do
with the method: which joints, regressed by which matrix, relative to which
root, against which ground-truth bodies, on which frames. A protocol fixes
these and has a name, and every number is printed with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

__all__ = ['PROTOCOLS', 'Protocol', 'get_protocol']

# Of COCO: 0 not labelled, 1 labelled but not visible, 2 visible.
_HIDDEN = 1


@dataclass(frozen=True)
class Protocol:
    """What is compared with what. Immutable.

    Predicted joints are always regressed from the predicted mesh, with the
    regressor of the metric's body for ``joint_set``.

    Attributes:
        name: the prefix of every metric.
        joint_set: joints compared, in a body model's name for them.
        root: the point subtracted from both sides: ``'mid_hip'``, the mean of
            the two hips of the joint set; ``'pelvis'``, the pelvis of the
            joint set or, if it has none, the root joint of the body,
            regressed from the mesh; or names of joints to average.
        target: ``'mesh'``: joints regressed from the ground-truth mesh, and
            labelled joints for samples without one; ``'keypoints3d'``:
            labelled joints, for all samples.
        vertex_alignment: ``'root'``: vertices are compared relative to
            ``root``, regressed from either mesh; ``'none'``: as they stand,
            the ground truth at the origin of its body model.
        gender: ``'neutral'``: one body for every ground-truth mesh;
            ``'gendered'``: the body of each person's gender.
        frames: which frames count. The data set selects them; the protocol
            records the choice.
        min_hidden: of whom the joints are hidden: people of whom at least
            this share is, of the joints that are labelled; the others do not
            count, neither in a mean nor as skipped. 0: everybody counts.
        description: where the protocol comes from.

    Example:
        >>> get_protocol('3dpw_14').root
        'pelvis'
    """

    name: str
    joint_set: str
    root: str | tuple[str, ...]
    target: Literal['mesh', 'keypoints3d'] = 'mesh'
    vertex_alignment: Literal['root', 'none'] = 'root'
    gender: Literal['neutral', 'gendered'] = 'neutral'
    frames: str = 'all'
    description: str = ''
    min_hidden: float = 0.0

    def __post_init__(self) -> None:
        choices = {
            'target': ('mesh', 'keypoints3d'),
            'vertex_alignment': ('root', 'none'),
            'gender': ('neutral', 'gendered'),
        }
        for field, allowed in choices.items():
            if getattr(self, field) not in allowed:
                raise ValueError(
                    f'protocol {self.name!r}: {field} must be one of '
                    f'{", ".join(map(repr, allowed))}, not '
                    f'{getattr(self, field)!r}'
                )
        if not 0 <= self.min_hidden <= 1:
            raise ValueError(
                f'protocol {self.name!r}: min_hidden is a share from 0 to 1, '
                f'not {self.min_hidden}'
            )

    @property
    def counted(self) -> str:
        """Which frames and people count, in words.

        Example:
            >>> get_protocol('synthetic_h36m14_occluded').counted
            'all; people with at least 40% of their joints hidden'
        """
        if self.min_hidden == 0:
            return self.frames
        return (
            f'{self.frames}; people with at least {self.min_hidden:.0%} of '
            'their joints hidden'
        )

    def is_about(self, sample: Mapping[str, Any]) -> bool:
        """Return whether a person counts.

        Args:
            sample: a data sample as metrics get it; of ``min_hidden`` above 0
                with ``keypoints2d_visibility`` (J,) as in COCO: 2 visible, 1
                hidden, 0 not labelled or outside the image.

        Raises:
            ValueError: a sample that does not say which joints are hidden.

        Example:
            >>> occluded = get_protocol('synthetic_h36m14_occluded')
            >>> occluded.is_about(dict(keypoints2d_visibility=[2, 1, 1, 0]))
            True
        """
        if self.min_hidden == 0:
            return True
        visibility = sample.get('keypoints2d_visibility')
        if visibility is None:
            raise ValueError(
                f'protocol {self.name!r} is about people of whom joints are '
                f'hidden, but sample {sample.get("sample_idx")} has no '
                'keypoints2d_visibility in its metainfo: give the data set '
                'visibility, or take the protocol out'
            )
        labelled = [int(each) for each in visibility if each > 0]
        hidden = labelled.count(_HIDDEN)
        return hidden > 0 and hidden >= self.min_hidden * len(labelled)

    def root_joints(
        self, joint_names: tuple[str, ...]
    ) -> tuple[int, ...] | None:
        """Return the indices of the joints whose mean is the root.

        Args:
            joint_names: names of ``joint_set``, in order.

        Returns:
            Indices, or None where the root is the body's own root joint,
            which the joint set lacks.
        """
        if self.root == 'pelvis' and 'pelvis' not in joint_names:
            return None
        named: dict[str | tuple[str, ...], tuple[str, ...]] = {
            'pelvis': ('pelvis',),
            'mid_hip': ('left_hip', 'right_hip'),
        }
        names = named.get(self.root, self.root)
        missing = set(names) - set(joint_names)
        if missing or isinstance(names, str):
            raise ValueError(
                f'protocol {self.name!r}: root {self.root!r} is neither '
                f"'pelvis' nor 'mid_hip' nor a tuple of joints of "
                f'{self.joint_set}: {", ".join(joint_names)}'
            )
        return tuple(joint_names.index(name) for name in names)


def _table(*protocols: Protocol) -> Mapping[str, Protocol]:
    return MappingProxyType({p.name: p for p in protocols})


#: All named protocols, read-only.
PROTOCOLS = _table(
    Protocol(
        name='synthetic_h36m14',
        joint_set='h36m14',
        root='mid_hip',
        description='SyntheticPeople, 14 joints of LSP and Human3.6M.',
    ),
    Protocol(
        name='synthetic_h36m14_occluded',
        joint_set='h36m14',
        root='mid_hip',
        min_hidden=0.4,
        description='SyntheticPeople, as synthetic_h36m14, of those whose '
        'joints lie behind things or the own body; as 3DPW-OCC picks them '
        'from 3DPW.',
    ),
    Protocol(
        name='synthetic_smpl24',
        joint_set='smpl24',
        root='pelvis',
        description='SyntheticPeople, kinematic joints of the body, '
        'regressed from the mesh.',
    ),
    Protocol(
        name='h36m_p1_14',
        joint_set='h36m14',
        root='mid_hip',
        target='keypoints3d',
        frames='S9 and S11, all four cameras',
        description='Human3.6M protocol 1, as in HMR: mocap joints.',
    ),
    Protocol(
        name='h36m_p2_14',
        joint_set='h36m14',
        root='mid_hip',
        target='keypoints3d',
        frames='S9 and S11, frontal camera 60457274',
        description='Human3.6M protocol 2, as in HMR and METRO: mocap joints.',
    ),
    Protocol(
        name='3dpw_14',
        joint_set='h36m14',
        root='pelvis',
        gender='gendered',
        frames='test split, frames with a valid camera pose',
        description='3DPW, 14 joints of the Human3.6M regressor on both '
        'meshes. Root: the kinematic root joint regressed from the mesh; '
        'code that takes the pelvis of the 17-joint Human3.6M regressor '
        'differs by millimetres.',
    ),
)


def get_protocol(name: str) -> Protocol:
    """Return a protocol by name.

    Example:
        >>> get_protocol('synthetic_h36m14').joint_set
        'h36m14'
    """
    if name not in PROTOCOLS:
        raise KeyError(
            f'unknown protocol {name!r}; known protocols: '
            f'{", ".join(PROTOCOLS)}. For your own, pass a '
            f'mmd2a.evaluation.Protocol instead of a name'
        )
    return PROTOCOLS[name]

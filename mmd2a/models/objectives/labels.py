"""The labels of a batch, from its samples."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from mmd2a.body_models import joint_names
from mmd2a.structures import BodyDataSample


def stack_labels(
    samples: Sequence[BodyDataSample],
    joint_set: str,
    num_betas: int,
    num_body_joints: int = 23,
) -> dict[str, Tensor]:
    """Stack the labels of samples, after a look at whether they fit.

    B: batch, J: joints of the set.

    Args:
        samples: B samples with ``gt``.
        joint_set: the joint set that all of them must have.
        num_betas: number of shape components that the body takes. Further
            labelled ones, which it does not know, are dropped; missing ones
            are 0, the mean shape.
        num_body_joints: number of joints of ``body_pose`` that the body has.

    Returns:
        Every field of ``gt``, (B, ...); see :class:`BodyDataSample`.

    Raises:
        ValueError: samples without labels, of another joint set, with poses
            of another body, or of different fields or shapes.
    """
    if not samples:
        raise ValueError('the batch holds no samples: there are no labels')
    _check_joint_sets(samples, joint_set)
    keys = list(samples[0].gt.keys())
    columns: dict[str, list[Tensor]] = {key: [] for key in keys}
    for sample in samples:
        if sorted(sample.gt.keys()) != sorted(keys):
            differing = sorted({*sample.gt.keys()} ^ {*keys})
            raise ValueError(
                f'{_name(sample)} and {_name(samples[0])} share a batch but '
                f'not the labels {", ".join(differing)}; pack both with '
                'PackBodySample'
            )
        for key in keys:
            value = sample.gt.get(key)
            if key == 'betas':
                value = F.pad(value, (0, num_betas - value.shape[-1]))
            elif key == 'body_pose':
                value = _pose_of(sample, num_body_joints)
            if columns[key] and value.shape != columns[key][0].shape:
                raise ValueError(
                    f'{key} of {_name(sample)} has shape '
                    f'{tuple(value.shape)}, that of {_name(samples[0])} '
                    f'{tuple(columns[key][0].shape)}; samples of a batch need '
                    'one shape'
                )
            columns[key].append(value)
    return {key: torch.stack(values) for key, values in columns.items()}


def _pose_of(sample: BodyDataSample, num_body_joints: int) -> Tensor:
    """The pose of a sample; zeros of the right length where it has none."""
    pose, number = sample.gt.body_pose, 3 * num_body_joints
    if len(pose) == number:
        return pose
    if sample.gt.smpl_weight > 0:
        raise ValueError(
            f'{_name(sample)} has a body_pose of {len(pose) // 3} joints, the '
            f'body has {num_body_joints}: SMPL has 23, SMPL-H and SMPL-X 21; '
            'use the body that the labels are of, or leave the pose out'
        )
    return pose.new_zeros(number)


def _check_joint_sets(
    samples: Sequence[BodyDataSample], joint_set: str
) -> None:
    """Every sample has the joints of the set, by name and by number."""
    num_joints = len(joint_names(joint_set))
    for sample in samples:
        if sample.get('_gt') is None:
            raise ValueError(
                f'{_name(sample)} has no labels (gt), which a loss needs; '
                'pack it with PackBodySample'
            )
        named = sample.get('joint_set') or joint_set
        labelled = len(sample.gt.keypoints3d)
        if named == joint_set and labelled == num_joints:
            continue
        found = (
            f"joint_set='{named}'"
            if named != joint_set
            else f'labels of {labelled} joints, not {num_joints}'
        )
        raise ValueError(
            f"the objective has joint_set='{joint_set}', but {_name(sample)} "
            f"has {found}; give every data set joint_set='{joint_set}', or "
            'the objective that of the data'
        )


def _name(sample: BodyDataSample) -> str:
    """How an error names a sample."""
    path = sample.get('img_path')
    return f'sample {sample.get("sample_idx")}' + (
        f' ({path})' if path else ''
    )

"""The labels of a person side by side, in its whole picture."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from mmd2a.body_models import SMPLBodyModel, joint_names
from mmd2a.datasets.label_layouts import arrange_labels

_SMPL = ('global_orient', 'body_pose', 'betas')


@dataclass(frozen=True)
class LabelledPerson:
    """What is known of a person. None: unknown; NaN: joints that are.

    J: joints of the set, H, W: picture.

    Attributes:
        joint_set: of the keypoints; None if there are none.
        bbox: (4,) xyxy pixels.
        points2d: (J, 2) pixels.
        points3d: (J, 3) as labelled.
        smpl_joints: (24, 3) of the labelled body, as ``transl`` places it.
        pose: (72,) as labelled.
        K: (3, 3), if the data set gives one.
        seen: (J,) whether a joint is said to be visible.
        mask: (H, W) uint8.
        depth: (H, W), NaN where unknown.
        shape: of the picture.
    """

    joint_set: str | None
    bbox: np.ndarray
    points2d: np.ndarray | None = None
    points3d: np.ndarray | None = None
    smpl_joints: np.ndarray | None = None
    pose: np.ndarray | None = None
    K: np.ndarray | None = None
    seen: np.ndarray | None = None
    mask: np.ndarray | None = None
    depth: np.ndarray | None = None
    shape: tuple[int, int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the joints."""
        return () if self.joint_set is None else joint_names(self.joint_set)


def labelled_person(
    entry: Mapping[str, Any],
    body: SMPLBodyModel,
    frame: Mapping[str, Any] | None = None,
) -> LabelledPerson:
    """Gather the labels of an entry.

    Args:
        entry: of a data set; see :class:`~mmd2a.datasets.BodyDataset`.
        body: that the parameters are of.
        frame: what :class:`~mmd2a.datasets.transforms.LoadFrame` makes of
            the entry, for mask and depth.

    Raises:
        ValueError: a label of another layout.
    """
    labels = arrange_labels(entry, entry.get('joint_set'))
    frame = frame or {}
    points = {
        key: _known(labels, key) for key in ('keypoints2d', 'keypoints3d')
    }
    seen = labels.get('keypoints2d_visibility')
    image = frame.get('img')
    depth = frame.get('depth')
    if depth is not None and not np.isfinite(depth).any():
        depth = None
    whole = all(key in labels for key in _SMPL) and bool(
        labels.get('smpl_weight', 1) > 0
    )
    return LabelledPerson(
        joint_set=entry.get('joint_set'),
        bbox=labels['bbox'],
        points2d=points['keypoints2d'],
        points3d=points['keypoints3d'],
        smpl_joints=_smpl_joints(labels, body) if whole else None,
        pose=(
            np.concatenate([labels['global_orient'], labels['body_pose']])
            if whole
            else None
        ),
        K=labels.get('K'),
        seen=None if seen is None else seen > 1,
        mask=frame.get('mask'),
        depth=depth,
        shape=None if image is None else image.shape[:2],
    )


def _known(labels: dict[str, np.ndarray], key: str) -> np.ndarray | None:
    """Joints, NaN where they weigh nothing; None without any."""
    if key not in labels:
        return None
    points = labels[key].copy()
    weight = labels.get(f'{key}_weight', np.ones(len(points)))
    points[~np.broadcast_to(weight > 0, len(points))] = np.nan
    return points if np.isfinite(points).any() else None


def _smpl_joints(
    labels: dict[str, np.ndarray], body: SMPLBodyModel
) -> np.ndarray:
    betas = np.zeros(body.num_betas)
    given = labels['betas'][: body.num_betas]
    betas[: len(given)] = given
    values = (
        labels['global_orient'],
        labels['body_pose'],
        betas,
        labels.get('transl', np.zeros(3)),
    )
    with torch.no_grad():
        posed = body(*(torch.tensor(v[None]).float() for v in values))
    return posed.joints[0].double().numpy()

"""People in the format that MMHuman3D's data sets read: HumanData.

N: people, J: keypoints of a convention.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmd2a.datasets import SyntheticPeople
from mmhuman3d_stand_ins.body import StandInBody

__all__ = ['People', 'human_data_bytes', 'image_annotations']

# MMHuman3D's converters widen boxes by this.
_BOX_SCALE = 1.2


class People(NamedTuple):
    """Labels of N people in images.

    OpenCV camera frame, metres, radians, pixels.

    Attributes:
        image_path: N paths, relative to the folder of a data set.
        image_size: width and height of all images.
        bbox: (N, 4) xyxy.
        K: (N, 3, 3) intrinsics.
        global_orient: (N, 3).
        body_pose: (N, 69).
        betas: (N, 10).
        transl: (N, 3).
    """

    image_path: list[str]
    image_size: int
    bbox: np.ndarray
    K: np.ndarray
    global_orient: np.ndarray
    body_pose: np.ndarray
    betas: np.ndarray
    transl: np.ndarray

    @classmethod
    def from_synthetic(cls, people: SyntheticPeople, folder: Path) -> 'People':
        """Take the labels of synthetic people.

        Args:
            people: the data set.
            folder: what image paths are relative to, a sibling of the
                folder that holds the people.
        """
        entries = [people.get_data_info(i) for i in range(len(people))]
        stacked = {
            name: np.stack([e[name] for e in entries]).astype(float)
            for name in (
                'bbox',
                'K',
                'global_orient',
                'body_pose',
                'betas',
                'transl',
            )
        }
        root = folder.parent.resolve()
        paths = [
            '../' + Path(e['img_path']).resolve().relative_to(root).as_posix()
            for e in entries
        ]
        return cls(paths, people.cache.image_size, **stacked)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pixels (N, J, 2) of points (N, J, 3) of the camera frame."""
        image = points @ self.K.transpose(0, 2, 1)
        return image[..., :2] / image[..., 2:]

    def inside(self, pixels: np.ndarray) -> np.ndarray:
        """Whether pixels (N, J, 2) are in the image: (N, J) 0 or 1."""
        within = (pixels > -0.5) & (pixels < self.image_size - 0.5)
        return within.all(-1).astype(float)


def image_annotations(
    people: People, body: StandInBody, labels: Sequence[str], config: str
) -> bytes:
    """Annotations of people in images: an npz of HumanData.

    Args:
        people: who is in the images.
        body: their body.
        labels: which labels they have: any of ``'keypoints2d'``,
            ``'keypoints3d'`` and ``'smpl'``.
        config: name of the data set.

    Returns:
        bytes: the file. Keypoints are those of ``smpl_54``, and what stands
        for them approximately in other conventions, in HumanData's. The
        confidence of those outside the image is 0. Men and women take turns;
        their body is the same.
    """
    items = dict(
        image_path=list(people.image_path),
        config=config,
        bbox_xywh=_boxes(people.bbox),
        meta=dict(gender=_genders(len(people.betas))),
    )
    items.update(body_labels(people, body, labels))
    return human_data_bytes(items)


def body_labels(
    people: People, body: StandInBody, labels: Sequence[str]
) -> dict[str, Any]:
    """Items of HumanData for the labels; see :func:`image_annotations`."""
    points = body.keypoints(
        people.global_orient, people.body_pose, people.betas, people.transl
    )['smpl_54']
    items: dict[str, Any] = {}
    if 'keypoints2d' in labels:
        pixels = people.project(points)
        items.update(
            _converted(
                'keypoints2d',
                np.concatenate([pixels, people.inside(pixels)[..., None]], -1),
            )
        )
    if 'keypoints3d' in labels:
        items.update(
            _converted(
                'keypoints3d',
                np.concatenate([points, np.ones((*points.shape[:2], 1))], -1),
            )
        )
    if 'smpl' in labels:
        items['smpl'] = dict(
            global_orient=people.global_orient,
            body_pose=people.body_pose.reshape(-1, 23, 3),
            betas=people.betas,
            transl=people.transl,
        )
    return items


def human_data_bytes(items: dict[str, Any]) -> bytes:
    """An npz file of HumanData with these items, keypoints compressed."""
    from mmhuman3d.data.data_structures.human_data import HumanData

    data = HumanData(items)
    data.compress_keypoints_by_mask()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'human_data.npz'
        data.dump(str(path))
        return path.read_bytes()


def _converted(name: str, keypoints: np.ndarray) -> dict[str, np.ndarray]:
    from mmhuman3d.core.conventions.keypoints_mapping import convert_kps

    keypoints, mask = convert_kps(
        keypoints, src='smpl_54', dst='human_data', approximate=True
    )
    return {name: keypoints, f'{name}_mask': mask}


def _boxes(xyxy: np.ndarray) -> np.ndarray:
    """(N, 4) to (N, 5): xywh, widened, and a score."""
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    size = (xyxy[:, 2:] - xyxy[:, :2]) * _BOX_SCALE
    return np.concatenate(
        [centre - size / 2, size, np.ones((len(xyxy), 1))], 1
    )


def _genders(number: int) -> np.ndarray:
    return np.array(['m', 'f'] * number)[:number]

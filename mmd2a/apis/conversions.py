"""Results in the forms of other packages."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmd2a.apis.errors import InputError
from mmd2a.apis.person_mesh import PersonMesh
from mmd2a.body_models import joint_sets

__all__ = ['to_human_data', 'to_pose_data_sample']


def to_pose_data_sample(
    people: Sequence[PersonMesh], img_path: str | None = None
) -> Any:
    """The people of one picture as a ``PoseDataSample`` of mmpose.

    N: people, J: joints, V: vertices.

    Args:
        people: of one picture.
        img_path: its file, kept as metainfo.

    Returns:
        ``pred_instances`` with ``bboxes`` (N, 4), ``bbox_scores`` (N,),
        ``keypoints`` (N, J, 2), pixels, ``keypoint_scores`` (N, J), all 1:
        the model tells a sigma instead; ``keypoints3d`` (N, J, 3),
        ``vertices`` (N, V, 3), relative to the root, and ``transl`` (N, 3),
        m; and ``sigma`` and the parameters of the body where they are known.

    Raises:
        ModuleNotFoundError: mmpose is not installed.
    """
    from mmengine.structures import InstanceData
    from mmpose.structures import PoseDataSample

    values = dict(
        bboxes=_stack(people, 'bbox', (4,)),
        bbox_scores=np.array([p.score for p in people], np.float32),
        keypoints=_stack(people, 'keypoints2d', (0, 2)),
    )
    values['keypoint_scores'] = np.ones(values['keypoints'].shape[:2])
    for key in (
        'keypoints3d',
        'vertices',
        'transl',
        'sigma',
        'keypoints3d_sigma',
        'global_orient',
        'body_pose',
        'betas',
        'smpl_transl',
    ):
        if people and getattr(people[0], key) is not None:
            values[key] = _stack(people, key)
    meta: dict[str, Any] = dict(img_path=img_path)
    if people:
        size = people[0].image_size
        meta.update(ori_shape=size, img_shape=size)
    sample = PoseDataSample(metainfo=meta)
    sample.pred_instances = InstanceData(**values)
    return sample


def to_human_data(
    people: Sequence[PersonMesh], image_paths: Sequence[str]
) -> dict[str, Any]:
    """People as :func:`~mmd2a.apis.result_files.write_human_data` takes them.

    ``write_human_data(path, **to_human_data(people, image_paths))`` writes
    what MMHuman3D trains and evaluates on.

    N: people, J: joints, S: shape components.

    Args:
        people: of any pictures.
        image_paths: N files, of each person.

    Returns:
        ``image_paths``, N; ``bboxes`` (N, 4), xyxy, pixels, and
        ``bbox_scores`` (N,); ``keypoints2d`` (N, J, 3), pixels and confidence
        1, ``keypoints3d`` (N, J, 4), camera frame, m, and confidence 1, and
        their ``joint_set``. With the parameters of the body ``smpl``:
        ``global_orient`` (N, 3), ``body_pose`` (N, 69), ``betas`` (N, S),
        ``transl`` (N, 3), camera frame.

    Raises:
        InputError: nobody, other numbers of people and files, or people of
            different models.
    """
    if not people or len(people) != len(image_paths):
        raise InputError(
            f'{len(people)} people and {len(image_paths)} image_paths: give '
            'one file per person, and at least one person'
        )
    names = {person.joint_names for person in people}
    if len(names) > 1:
        raise InputError('the people are of models with different joints')
    [joints] = names
    placed = _stack(people, 'keypoints3d') + _stack(people, 'transl')[:, None]
    result: dict[str, Any] = dict(
        image_paths=list(map(str, image_paths)),
        bboxes=_stack(people, 'bbox'),
        bbox_scores=np.array([person.score for person in people]),
        keypoints2d=_confident(_stack(people, 'keypoints2d')),
        keypoints3d=_confident(placed),
        joint_set=next(
            name
            for name, value in joint_sets.JOINT_SETS.items()
            if value == joints
        ),
    )
    if all(person.smpl_transl is not None for person in people):
        result['smpl'] = dict(
            global_orient=_stack(people, 'global_orient'),
            body_pose=_stack(people, 'body_pose'),
            betas=_stack(people, 'betas'),
            transl=_stack(people, 'smpl_transl'),
        )
    return result


def _stack(
    people: Sequence[PersonMesh], key: str, shape: tuple[int, ...] = ()
) -> np.ndarray:
    if not people:
        return np.zeros((0, *shape), np.float32)
    return np.stack([getattr(person, key) for person in people])


def _confident(points: np.ndarray) -> np.ndarray:
    return np.concatenate([points, np.ones((*points.shape[:2], 1))], -1)

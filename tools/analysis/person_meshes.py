"""People of a data set, as `MeshInferencer` tells of people in pictures."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.dataset import pseudo_collate

from mmd2a.apis import PersonMesh
from mmd2a.apis.cameras import bring_into_image
from mmd2a.apis.person_mesh import people_of
from mmd2a.models.estimators.mesh_estimator import MeshEstimator

BATCH = 50
_FIELDS = (
    'vertices',
    'keypoints3d',
    'sigma',
    'keypoints3d_sigma',
    'keypoints2d_localized',
    'camera',
    'global_orient',
    'body_pose',
    'betas',
    'transl',
    'fit_residual',
)


def predict_people(
    model: MeshEstimator, dataset: Any, picks: Sequence[int]
) -> list[PersonMesh]:
    """Predict people in the pictures that the data set has cut them from.

    Args:
        model: in evaluation mode, of one device.
        dataset: with ``K`` and ``bbox`` of each picture.
        picks: indices of the people.
    """
    people: list[PersonMesh] = []
    for start in range(0, len(picks), BATCH):
        chunk = picks[start : start + BATCH]
        with torch.no_grad():
            samples = model.test_step(
                pseudo_collate([dataset[int(i)] for i in chunk])
            )
        fields = {
            key: np.stack([s.pred.get(key).cpu().numpy() for s in samples])
            for key in _FIELDS
            if key in samples[0].pred
        }
        fields['crop_matrix'] = np.stack([s.crop_matrix for s in samples])
        fields['crop_size'] = np.array([s.img_shape for s in samples])
        fields['bbox'] = np.stack([s.bbox for s in samples])
        fields['image_index'] = np.arange(len(samples))
        infos = [dataset.get_data_info(int(i)) for i in chunk]
        K = np.stack([np.asarray(i['K'], np.float64) for i in infos])
        answer = bring_into_image(fields, K)
        names = tuple(model.objective.joint_names)
        for index, sample in enumerate(samples):
            people += people_of(
                answer, index, names, 'given', sample.ori_shape, np.ones(1)
            )
    return people

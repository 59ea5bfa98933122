"""Files of HumanData, as MMHuman3D's own class writes them."""

import numpy as np
import pytest


@pytest.fixture
def human_data():
    """``human_data(number, convention, **more)``, an object of their class."""
    pytest.importorskip('mmhuman3d')
    from mmhuman3d.core.conventions.keypoints_mapping import (
        KEYPOINTS_FACTORY,
        convert_kps,
    )
    from mmhuman3d.data.data_structures.human_data import HumanData

    def make(number=7, convention='h36m', **more):
        rng = np.random.default_rng(0)
        joints = len(KEYPOINTS_FACTORY[convention])
        items = dict(
            image_path=[f'S1/{i:03d}.jpg' for i in range(number)],
            config='h36m',
            bbox_xywh=rng.uniform(10, 90, (number, 5)),
            smpl=dict(
                global_orient=rng.normal(size=(number, 3)),
                body_pose=rng.normal(size=(number, 23, 3)),
                betas=rng.normal(size=(number, 10)).astype(np.float32),
                transl=rng.normal(size=(number, 3)),
            ),
            meta=dict(gender=['m', 'f', 'n'] * number),
            misc=dict(note='a text', camera=dict(id=rng.integers(9, size=4))),
        )
        items['meta']['gender'] = items['meta']['gender'][:number]
        for name, dims in (('keypoints2d', 3), ('keypoints3d', 4)):
            points = rng.uniform(size=(number, joints, dims))
            items[name], items[f'{name}_mask'] = convert_kps(
                points, convention, 'human_data'
            )
        return HumanData({**items, **more})

    return make


@pytest.fixture
def dumped(human_data, tmp_path):
    """``dumped(**as above) -> path`` of an npz with compressed keypoints."""

    def dump(*args, compress=True, **kwargs):
        data = human_data(*args, **kwargs)
        if compress:
            data.compress_keypoints_by_mask()
        path = tmp_path / 'people.npz'
        data.dump(str(path))
        return path

    return dump

"""Real inputs for statements about real inputs."""

import numpy as np
import pytest


@pytest.fixture(scope='session')
def people(tmp_path_factory):
    """Depth (N, 96, 96) and visible masks of crops of validation people."""
    from mmd2a.datasets import SyntheticPeople

    data = SyntheticPeople(
        str(tmp_path_factory.mktemp('people')),
        split='val',
        num_people=60,
        image_size=160,
        num_workers=1,
        shard_size=60,
        pipeline=[
            dict(type='mmd2a.LoadFrame'),
            dict(type='mmd2a.PersonCrop', size=96),
        ],
    )
    crops = [data[i] for i in range(len(data))]
    return (
        np.stack([crop['depth'] for crop in crops]),
        np.stack([crop['mask'] == 255 for crop in crops]),
    )

"""Light changes; content, size and range do not."""

import numpy as np
import pytest

from mmd2a.datasets.transforms import PhotometricJitter


def run(image, seed=0, **kwargs):
    np.random.seed(seed)  # noqa: NPY002
    return PhotometricJitter(**kwargs)(dict(img=image))['img']


@pytest.fixture
def image():
    return np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)


def test_without_strength_nothing_changes(image):
    assert (run(image, brightness=0, contrast=0, color=0) == image).all()


def test_brightness_shifts_all_channels_alike():
    grey = np.full((4, 4, 3), 100, np.uint8)
    values = [
        run(grey, seed, brightness=0.2, contrast=0, color=0)
        for seed in range(30)
    ]
    assert all(np.ptp(value) == 0 for value in values)
    levels = [int(value.flat[0]) for value in values]
    assert 49 <= min(levels) < 70 and 130 < max(levels) <= 151


def test_contrast_keeps_middle_grey_and_order():
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    for seed in range(10):
        out = run(ramp, seed, brightness=0, contrast=0.5, color=0)[0]
        assert (out[128] == 128).all()
        assert (np.diff(out.astype(int), axis=0) >= 0).all()


def test_color_changes_channels_apart(image):
    out = run(np.full((2, 2, 3), 200, np.uint8), color=0.3)
    assert len(np.unique(out[0, 0])) == 3


def test_the_range_is_clipped_not_wrapped():
    white = np.full((2, 2, 3), 255, np.uint8)
    for seed in range(20):
        out = run(white, seed, brightness=0.5, contrast=0.5, color=0.5)
        assert out.dtype == np.uint8 and out.min() > 50


def test_the_input_image_is_left_alone(image):
    before = image.copy()
    run(image)
    assert (image == before).all()

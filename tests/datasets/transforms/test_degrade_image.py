"""Each defect takes away what it is named for, and nothing else."""

import cv2
import numpy as np
import pytest

from mmd2a.datasets.transforms import DegradeImage

NOTHING = dict.fromkeys(
    [f'{name}_prob' for name in 'blur motion resize noise jpeg grey'.split()],
    0.0,
)


def run(image, seed=0, **kwargs):
    np.random.seed(seed)  # noqa: NPY002
    transform = DegradeImage(**{**NOTHING, **kwargs})
    return transform(dict(img=image))['img']


def detail(image):
    """Mean square of the differences between neighbours: across, down."""
    values = image.astype(float)
    return [(np.diff(values, axis=axis) ** 2).mean() for axis in (1, 0)]


@pytest.fixture(scope='module')
def image():
    noise = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)
    return cv2.resize(noise, (96, 64), interpolation=cv2.INTER_NEAREST)


def test_without_probability_nothing_changes(image):
    assert (run(image) == image).all()


@pytest.mark.parametrize('name', ['blur', 'motion', 'resize'])
def test_blur_and_few_pixels_take_detail_and_keep_the_mean(image, name):
    for seed in range(5):
        out = run(image, seed, **{f'{name}_prob': 1.0, name: 0.2})
        assert out.shape == image.shape and out.dtype == np.uint8
        assert max(detail(out)) < max(detail(image))
        assert np.abs(out.mean((0, 1)) - image.mean((0, 1))).max() < 4


def test_motion_blurs_along_its_line_and_keeps_detail_across():
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    ratios = []
    for seed in range(30):
        across, down = detail(run(noise, seed, motion_prob=1.0, motion=0.3))
        ratios.append(across / down)
    # A line along x, one along y, and all that is between.
    assert min(ratios) < 0.5 and max(ratios) > 2


def test_few_pixels_are_as_few_as_the_share_says(image):
    smooth = run(image, resize_prob=1.0, resize=1 / 32)
    spectrum = np.abs(np.fft.fft2(smooth.mean(2) - smooth.mean()))
    assert spectrum[:8, :8].max() > 20 * spectrum[28:36, 44:52].max()


def test_noise_grows_with_the_light_and_has_no_bias():
    def deviation(level):
        grey = np.full((96, 96, 3), level, np.uint8)
        out = run(grey, 3, noise_prob=1.0, noise=0.1).astype(float) - level
        assert abs(out.mean()) < 0.3
        return out.std()

    dark, light = deviation(60), deviation(180)
    # The model, with the reading a quarter of the variance.
    expected = np.sqrt((0.25 + 0.75 * 180 / 255) / (0.25 + 0.75 * 60 / 255))
    assert light / dark == pytest.approx(expected, rel=0.03)


def test_compression_is_that_of_its_quality(image):
    low = run(image, jpeg_prob=1.0, jpeg_quality=(7, 7))
    data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, 7])[1]
    assert (low == cv2.imdecode(data, cv2.IMREAD_COLOR)).all()


def test_grey_is_grey_and_as_bright(image):
    out = run(image, grey_prob=1.0)
    assert (np.ptp(out, axis=2) == 0).all()
    assert (out[..., 0] == cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)).all()


def test_each_defect_comes_as_often_as_it_says(image):
    changed = [
        (run(image, seed, jpeg_prob=0.3) != image).any() for seed in range(200)
    ]
    assert 0.2 < np.mean(changed) < 0.4


def test_the_seed_of_numpy_decides_and_the_input_is_left_alone(image):
    before = image.copy()
    outs = []
    for seed in (1, 1, 2):
        np.random.seed(seed)  # noqa: NPY002
        everything = DegradeImage(**dict.fromkeys(NOTHING, 1.0), noise=0.1)
        outs.append(everything(dict(img=image))['img'])
    assert (outs[0] == outs[1]).all() and (outs[0] != outs[2]).any()
    assert (image == before).all()


@pytest.mark.parametrize(
    ('kwargs', 'name'),
    [
        (dict(blur_prob=1.5), 'blur_prob'),
        (dict(noise=-0.1), 'noise'),
        (dict(resize=0.0), 'resize'),
        (dict(jpeg_quality=(90, 20)), 'jpeg_quality'),
    ],
)
def test_settings_that_cannot_be_meant_are_named(kwargs, name):
    with pytest.raises(ValueError, match=name):
        DegradeImage(**kwargs)

"""Files become arrays, or an error that names the file and the fix."""

import cv2
import numpy as np
import pytest

from mmd2a.datasets import BadSampleError
from mmd2a.datasets.transforms import LoadFrame

H, W = 40, 60


@pytest.fixture
def frame(tmp_path):
    """A sample with all files."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (H, W, 3), np.uint8)
    depth = rng.integers(500, 9000, (H, W)).astype(np.uint16)
    depth[:4] = 0
    mask = np.zeros((H, W), np.uint8)
    mask[10:20], mask[20:30] = 255, 128
    files = dict(
        img=(tmp_path / 'a.png', image),
        depth=(tmp_path / 'depth.png', depth),
        mask=(tmp_path / 'mask.png', mask),
    )
    for path, array in files.values():
        cv2.imwrite(str(path), array)
    return {f'{key}_path': str(path) for key, (path, _) in files.items()} | {
        'truth': {key: array for key, (_, array) in files.items()}
    }


def test_arrays_are_those_of_the_files(frame):
    out = LoadFrame()(dict(frame))
    truth = frame['truth']
    assert (out['img'] == truth['img']).all()
    assert (out['mask'] == truth['mask']).all()
    assert out['ori_shape'] == (H, W)
    assert out['depth'].dtype == np.float32
    assert np.isnan(out['depth'][:4]).all()
    np.testing.assert_allclose(
        out['depth'][4:], truth['depth'][4:] / 1000.0, rtol=1e-6
    )


def save(tmp_path, depth):
    np.save(tmp_path / 'depth.npy', depth)
    return str(tmp_path / 'depth.npy')


def test_metric_depth_may_mark_what_is_missing_by_zero_or_not_a_number(
    frame, tmp_path
):
    depth = np.linspace(1, 5, H * W).reshape(H, W)
    depth[0, :4] = 0, -np.inf, np.inf, np.nan
    path = save(tmp_path, depth)
    out = LoadFrame()({**frame, 'depth_path': path})
    assert np.isnan(out['depth'][0, :4]).all()
    assert np.isfinite(out['depth']).sum() == H * W - 4
    assert out['depth_kind'] == 'metric'


@pytest.mark.parametrize('negative', [1, H * W])
def test_negative_metric_depth_is_refused(frame, tmp_path, negative):
    """Not taken for missing, as a sign is no marker."""
    depth = np.linspace(1, 5, H * W)
    depth[:negative] *= -1
    path = save(tmp_path, depth.reshape(H, W))
    with pytest.raises(BadSampleError) as error:
        LoadFrame()({**frame, 'depth_path': path})
    message = str(error.value)
    assert path in message and f'{negative} of {H * W}' in message
    assert "depth_kind='depth'" in message and '\n' not in message


@pytest.mark.parametrize('shift', [0.0, -2.0, -9.0])
@pytest.mark.parametrize('kind, sign', [('depth', 1), ('disparity', -1)])
def test_depth_without_unit_may_have_any_sign(
    frame, tmp_path, kind, sign, shift
):
    values = np.linspace(0, 5, H * W, dtype=np.float32).reshape(H, W) + shift
    values[3, :2] = np.nan, np.inf
    path = save(tmp_path, values)
    out = LoadFrame(depth_kind=kind)({**frame, 'depth_path': path})
    values[3, 1] = np.nan
    np.testing.assert_array_equal(out['depth'], sign * values)
    assert out['depth_kind'] == kind


def test_pictures_of_disparity_keep_zero_as_missing(frame):
    out = LoadFrame(depth_kind='disparity')(dict(frame))
    assert np.isnan(out['depth'][:4]).all()
    np.testing.assert_allclose(
        out['depth'][4:], frame['truth']['depth'][4:] / -1000.0, rtol=1e-6
    )


def test_unknown_kinds_of_depth_are_refused():
    with pytest.raises(ValueError, match='disparity'):
        LoadFrame(depth_kind='inverse')


def test_no_depth_file_gives_an_all_invalid_map(frame):
    out = LoadFrame()({**frame, 'depth_path': None, 'mask_path': None})
    assert out['depth'].shape == (H, W) and np.isnan(out['depth']).all()
    assert 'mask' not in out


def test_an_rgb_pipeline_reads_only_the_image(frame):
    out = LoadFrame(with_depth=False, with_mask=False)(
        {
            'img_path': frame['img_path'],
            'depth_path': 'missing.png',
            'mask_path': 'missing.png',
        }
    )
    assert 'depth' not in out and 'mask' not in out


def test_a_sample_without_camera_gets_the_usual_guess(frame):
    K = LoadFrame()(dict(frame))['K']
    assert K[0, 0] == K[1, 1] == np.hypot(H, W)
    assert K[0, 2] == (W - 1) / 2 and K[1, 2] == (H - 1) / 2
    given = np.diag([2.0, 2.0, 1.0])
    assert LoadFrame()({**frame, 'K': given})['K'] is given


@pytest.mark.parametrize('key', ['img_path', 'depth_path', 'mask_path'])
def test_a_missing_file_is_named(frame, key):
    with pytest.raises(BadSampleError, match='nowhere.png') as error:
        LoadFrame()({**frame, key: 'nowhere.png'})
    assert key in str(error.value) and 'data_root' in str(error.value)


@pytest.mark.parametrize('end', ['.jpg', '.png'])
@pytest.mark.parametrize('kept', [0.0, 0.3, 0.9, 'but one byte'])
def test_a_truncated_image_is_refused(frame, tmp_path, end, kept):
    path = tmp_path / f'cut{end}'
    data = cv2.imencode(end, frame['truth']['img'])[1].tobytes()
    length = len(data) - 1 if kept == 'but one byte' else int(kept * len(data))
    path.write_bytes(data[:length])
    # Named as such: some versions of OpenCV decode part of it instead.
    what = 'truncated' if length else 'empty'
    with pytest.raises(
        BadSampleError, match=f'image file is {what}.*cut{end}'
    ) as error:
        LoadFrame()({**frame, 'img_path': str(path)})
    assert 'replace the file' in str(error.value)


@pytest.mark.parametrize('content', [b'<html>not found</html>', b'\x89PNGx'])
def test_a_file_that_is_no_image_is_refused(frame, tmp_path, content):
    (tmp_path / 'page.png').write_bytes(content)
    with pytest.raises(BadSampleError, match='page.png'):
        LoadFrame()({**frame, 'img_path': str(tmp_path / 'page.png')})


@pytest.mark.parametrize('key', ['depth', 'mask'])
def test_a_map_of_another_size_is_refused(frame, tmp_path, key):
    dtype = dict(depth=np.uint16, mask=np.uint8)[key]
    path = str(tmp_path / 'small.png')
    cv2.imwrite(path, np.ones((H // 2, W), dtype))
    with pytest.raises(BadSampleError, match=f'{key} is 60x20') as error:
        LoadFrame()({**frame, f'{key}_path': path})
    assert 'small.png' in str(error.value) and '60x40' in str(error.value)


def test_eight_bit_depth_is_refused(frame, tmp_path):
    path = str(tmp_path / 'grey.png')
    cv2.imwrite(path, np.ones((H, W), np.uint8))
    with pytest.raises(BadSampleError, match='16-bit'):
        LoadFrame()({**frame, 'depth_path': path})


@pytest.mark.parametrize(
    'array',
    [
        np.ones((H, W, 2)),
        np.ones((H, W), int),
        np.array([{'pickled': 1}], object),
    ],
)
def test_depth_arrays_of_another_kind_are_refused(frame, tmp_path, array):
    path = str(tmp_path / 'depth.npy')
    np.save(path, array, allow_pickle=True)
    with pytest.raises(BadSampleError, match='depth.npy'):
        LoadFrame()({**frame, 'depth_path': path})


@pytest.mark.parametrize('shift', [0, -1])
def test_metric_depth_without_a_positive_value_is_refused(
    frame, tmp_path, shift
):
    path = str(tmp_path / 'depth.npy')
    depth = -np.random.default_rng(0).uniform(1, 5, (H, W))
    depth[0, :5] = np.nan, np.inf, 0, 0, shift
    np.save(path, depth)
    with pytest.raises(BadSampleError, match=r'negative.*depth\.npy'):
        LoadFrame()({**frame, 'depth_path': path})
    np.save(path, np.zeros((H, W)))  # Nothing measured at all.
    out = LoadFrame()({**frame, 'depth_path': path})
    assert np.isnan(out['depth']).all()


@pytest.mark.parametrize('key', ['img_path', 'depth_path', 'mask_path'])
@pytest.mark.parametrize('path', ['/dev/zero', '/tmp', 'no\0name'])
def test_what_is_no_regular_file_is_a_bad_sample(frame, key, path):
    with pytest.raises(BadSampleError, match='To fix'):
        LoadFrame()({**frame, key: path})


def test_pictures_of_any_channels_and_bits_look_alike(frame, tmp_path):
    colors = frame['truth']['img']
    grey = colors[..., :1]
    for name, array, wanted in [
        ('grey', grey[..., 0], np.repeat(grey, 3, 2)),
        ('alpha', np.dstack([colors, 255 - grey]), colors),
        ('deep', colors * np.uint16(256) + 77, colors),
        ('deep_grey', grey[..., 0] * np.uint16(257), np.repeat(grey, 3, 2)),
    ]:
        path = str(tmp_path / f'{name}.png')
        cv2.imwrite(path, array)
        out = LoadFrame(with_depth=False, with_mask=False)({'img_path': path})
        np.testing.assert_array_equal(out['img'], wanted, err_msg=name)
    path = str(tmp_path / 'dark.png')
    cv2.imwrite(path, colors.astype(np.uint16))
    with pytest.raises(BadSampleError, match=r'nearly black.*dark\.png'):
        LoadFrame()({**frame, 'img_path': path})
    path = str(tmp_path / 'float.tiff')
    cv2.imwrite(path, colors.astype(np.float32))
    with pytest.raises(BadSampleError, match=r'float32.*float\.tiff'):
        LoadFrame()({**frame, 'img_path': path})


@pytest.mark.parametrize('box', [[np.nan, 0, 9, 9], [5, 5], [9, 9, 1, 1]])
def test_a_box_is_looked_at_before_depth_is_read_by_it(frame, box):
    with pytest.raises(BadSampleError, match=r'box.*a\.png'):
        LoadFrame()({**frame, 'bbox': box})

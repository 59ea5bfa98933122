"""One person in the data format of MMDetection."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from mmd2a.datasets import BadSampleError
from mmd2a.mixing import PersonToInstance


def sample(mask, bbox=(0, 0, 1, 1)):
    return dict(
        img=np.zeros((*mask.shape, 3), np.uint8),
        mask=mask,
        bbox=np.array(bbox, float),
        sample_idx=3,
    )


@given(
    arrays(
        np.uint8,
        array_shapes(min_dims=2, max_dims=2, min_side=2, max_side=9),
        elements=st.sampled_from([0, 128, 255]),
    )
)
@settings(max_examples=80, deadline=None)
def test_coco_reads_back_the_visible_person(mask):
    coco = pytest.importorskip('pycocotools.mask')
    (instance,) = PersonToInstance()(sample(mask))['instances']
    code = coco.frPyObjects(instance['mask'], *mask.shape)
    np.testing.assert_array_equal(coco.decode(code), mask == 255)


@pytest.mark.parametrize(
    'levels', [(False, True), (0, 1), (np.uint16(0), np.uint16(65535))]
)
def test_masks_of_other_levels_are_the_same_person(levels):
    person = np.zeros((4, 5), bool)
    person[1:3, 2:4] = True
    wanted = PersonToInstance()(sample(person * np.uint8(255)))
    out = PersonToInstance()(sample(np.array(levels)[person.astype(int)]))
    assert out['instances'] == wanted['instances']
    with pytest.raises(BadSampleError, match='values 0, 3'):
        PersonToInstance()(sample(person * np.uint8(3)))


def test_mmdet_loads_the_box_and_the_mask():
    pytest.importorskip('mmdet')
    from mmdet.datasets.transforms import LoadAnnotations

    mask = np.zeros((20, 30), np.uint8)
    mask[4:9, 6:20] = 255
    results = PersonToInstance()(sample(mask, (5, 3, 21, 10.5)))
    results['ori_shape'] = mask.shape
    results = LoadAnnotations(with_bbox=True, with_mask=True)(results)
    assert results['gt_bboxes'].tensor.tolist() == [[5, 3, 21, 10.5]]
    np.testing.assert_array_equal(results['gt_masks'].masks[0], mask == 255)
    assert not results['gt_ignore_flags'].any()


def test_a_sample_without_a_mask_is_an_instance_without_one():
    results = sample(np.zeros((4, 6), np.uint8))
    del results['mask']
    results = PersonToInstance()(results)
    assert 'mask' not in results['instances'][0]
    assert (results['height'], results['width'], results['img_id']) == (
        4,
        6,
        3,
    )


def test_a_useless_box_is_a_bad_sample():
    with pytest.raises(BadSampleError, match='no area'):
        PersonToInstance()(sample(np.zeros((4, 6), np.uint8), (2, 2, 2, 3)))

"""One person's entry in the data format of MMDetection."""

from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.transforms.label_checks import check_box
from mmd2a.datasets.transforms.masks import as_mask
from mmd2a.mixing.entry_number import entry_number
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class PersonToInstance(BaseTransform):
    """Describe the person as MMDetection's data sets describe an object.

    After it MMDetection's own transforms take over, from ``LoadAnnotations``
    on. Sets ``instances``, a list of one: ``bbox`` (xyxy, pixels),
    ``bbox_label`` 0, ``ignore_flag`` 0 and, where the sample has a mask,
    ``mask``: the visible person, as uncompressed run lengths. Also sets
    ``img_id``, ``height`` and ``width``. Made for images with one person:
    others in the image would go unlabelled.

    Example:
        >>> mask = np.array([[0, 255, 128], [0, 255, 0]], np.uint8)
        >>> out = PersonToInstance()(dict(
        ...     img=np.zeros((2, 3, 3), np.uint8), mask=mask, sample_idx=5,
        ...     bbox=np.array([1, 0, 3, 2.])))
        >>> out['instances'][0]['mask']
        {'size': [2, 3], 'counts': [2, 2, 2]}
    """

    def transform(self, results: dict) -> dict:
        """Add the keys to ``results``."""
        height, width = results['img'].shape[:2]
        box = check_box(
            results.get('bbox'), (height, width), results.get('img_path')
        )
        instance: dict[str, Any] = dict(
            bbox=box.tolist(), bbox_label=0, ignore_flag=0
        )
        if results.get('mask') is not None:
            instance['mask'] = _run_lengths(
                as_mask(results['mask'], results.get('img_path')) == 255
            )
        results.update(
            instances=[instance],
            height=height,
            width=width,
            img_id=entry_number(results),
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def _run_lengths(mask: np.ndarray) -> dict[str, list[int]]:
    """COCO's run lengths: down the columns, starting with background."""
    pixels = mask.ravel(order='F')
    edges = np.flatnonzero(np.diff(pixels)) + 1
    counts = np.diff(np.r_[0, edges, pixels.size]).tolist()
    return dict(
        size=list(mask.shape), counts=[0, *counts] if pixels[0] else counts
    )

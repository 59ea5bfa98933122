"""Let depth travel with the image through the transforms of any package."""

from mmcv.transforms import BaseTransform

from mmd2a.mixing.stacking import stack_depth
from mmd2a.registry import TRANSFORMS


@TRANSFORMS.register_module()
class StackDepth(BaseTransform):
    """Make ``img`` an RGB-D image, which every geometric transform can warp.

    Transforms of mmcv, mmpose, mmdet and MMHuman3D change ``img`` and know no
    depth. As two more channels, depth times validity and validity, it is
    flipped, resized and warped along, and nothing invalid leaks into what is
    valid. So: transforms of colour before this one, of geometry after it,
    borders filled with 0. Padding is the data preprocessor's; mmcv's ``Pad``
    takes four channels at most.

    Reads ``img`` (H, W, 3), ``depth`` (H, W), NaN where invalid, and
    ``depth_kind``, as ``mmd2a.LoadFrame`` gives them; a sample without
    ``depth`` has none that is valid. Sets ``img`` (H, W, 5) float32, removes
    ``depth``.

    The model takes it by ``mmd2a.RGBDDataPreprocessor`` or, where data
    preprocessors are unknown, after ``mmd2a.NormalizeRGBD``.

    Example:
        >>> import numpy as np
        >>> stack = StackDepth()
        >>> out = stack(dict(img=np.zeros((4, 4, 3), np.uint8),
        ...                  depth=np.full((4, 4), 2.5)))
        >>> out['img'].shape
        (4, 4, 5)
    """

    def transform(self, results: dict) -> dict:
        """Replace ``img`` and ``depth`` by one array."""
        results['img'] = stack_depth(
            results['img'],
            results.pop('depth', None),
            results.get('depth_kind', 'metric'),
        )
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'

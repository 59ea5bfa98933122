"""Put things before a person, in the crop."""

import cv2
import numpy as np
from mmcv.transforms import BaseTransform

from mmd2a.datasets.transforms.masks import OCCLUDED
from mmd2a.datasets.transforms.randomness import draw_generator
from mmd2a.registry import TRANSFORMS

# Values of a mask, and of visibility: hidden (1), seen (2), as in COCO.
_HIDDEN_PERSON = 128
_HIDDEN, _SEEN = 1, 2
# A thing this close or a little closer than what it hides, share of depth.
_NEAREST, _FARTHEST = 0.5, 0.95


@TRANSFORMS.register_module()
class RandomOcclusion(BaseTransform):
    """Hide parts of a crop behind rectangles and ellipses of texture.

    h, w: crop size in pixels, J: joints. Everything that is of the crop tells
    of the thing: ``img`` shows it, ``mask`` (h, w) turns from 255 to 128
    where the person is behind it, ``keypoints2d_visibility`` (J,) from 2 to 1,
    ``depth`` (h, w) is nearer than all that it hides (metric depth), or
    missing. Joints themselves stay where they are. To be put behind
    ``PersonCrop``.

    The texture is one colour with noise of one random coarseness: it owes
    nothing to any picture. All sizes and defaults are our choice, after Zhong
    et al., "Random Erasing Data Augmentation", AAAI 2020.

    Args:
        prob: probability that a crop gets anything.
        max_things: most things in one crop; their number is drawn evenly.
        min_size: least length of a thing, as share of the crop's sides.
        max_size: largest length.

    Raises:
        ValueError: a probability or size that cannot be meant.

    Example:
        >>> hide = RandomOcclusion(prob=1.0)
        >>> crop = dict(img=np.zeros((64, 64, 3), np.uint8),
        ...             mask=np.full((64, 64), 255, np.uint8))
        >>> 128 in hide(crop)['mask']
        True
    """

    def __init__(
        self,
        prob: float = 0.25,
        max_things: int = 3,
        min_size: float = 0.1,
        max_size: float = 0.45,
    ) -> None:
        if not 0 <= prob <= 1:
            raise ValueError(f'prob must be in [0, 1], got {prob}')
        if max_things < 1:
            raise ValueError(f'max_things must be positive, got {max_things}')
        if not 0 < min_size <= max_size <= 1:
            raise ValueError(
                'sizes must be 0 < min_size <= max_size <= 1, got '
                f'min_size={min_size}, max_size={max_size}'
            )
        self.prob = prob
        self.max_things = max_things
        self.min_size = min_size
        self.max_size = max_size

    def transform(self, results: dict) -> dict:
        """Change ``img``, ``mask``, ``depth`` and visibility."""
        rng = draw_generator(results, type(self).__name__)
        if rng.random() >= self.prob:
            return results
        # What came in may be somebody else's array.
        for key in ('img', 'mask', 'depth', 'keypoints2d_visibility'):
            if results.get(key) is not None:
                results[key] = results[key].copy()
        for _ in range(rng.integers(1, self.max_things + 1)):
            self._hide(results, rng)
        return results

    def _hide(self, results: dict, rng: np.random.Generator) -> None:
        height, width = results['img'].shape[:2]
        thing = self._shape(height, width, rng)
        texture = _texture(height, width, rng)
        nearness = rng.uniform(_NEAREST, _FARTHEST)
        np.copyto(results['img'], texture, where=thing[..., None])
        mask = results.get('mask')
        if mask is not None:
            mask[thing & (mask > OCCLUDED)] = _HIDDEN_PERSON
        depth = results.get('depth')
        if depth is not None:
            behind = depth[thing]
            metric = results.get('depth_kind', 'metric') == 'metric'
            known = np.isfinite(behind).any() and metric
            depth[thing] = np.nanmin(behind) * nearness if known else np.nan
        visibility = results.get('keypoints2d_visibility')
        if visibility is not None:
            pixel = np.round(results['keypoints2d'])
            inside = ((pixel >= 0) & (pixel < [width, height])).all(1)
            column, row = np.where(inside[:, None], pixel, 0).astype(int).T
            hidden = inside & thing[row, column] & (visibility == _SEEN)
            visibility[hidden] = _HIDDEN

    def _shape(
        self, height: int, width: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Where a thing is: (h, w) bool."""
        share = rng.uniform(self.min_size, self.max_size, 2)
        size = share * [width, height]
        centre = rng.uniform(0, 1, 2) * [width, height]
        turn = float(rng.uniform(0, 180))
        canvas = np.zeros((height, width), np.uint8)
        outline = (centre.tolist(), size.tolist(), turn)
        if rng.random() < 0.5:
            cv2.ellipse(canvas, outline, 1, -1)
        else:
            corners = np.round(cv2.boxPoints(outline)).astype(np.int32)
            cv2.fillConvexPoly(canvas, corners, 1)
        return canvas.astype(bool)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(prob={self.prob}, '
            f'max_things={self.max_things}, min_size={self.min_size}, '
            f'max_size={self.max_size})'
        )


def _texture(height: int, width: int, rng: np.random.Generator) -> np.ndarray:
    """A colour with noise of one coarseness: (h, w, 3) uint8."""
    colour = rng.uniform(0, 255, 3)
    # Things are rarely as colourful as even draws would make them.
    colour += rng.uniform(0, 0.8) * (colour.mean() - colour)
    cells = int(round(2 ** rng.uniform(0, 6)))
    noise = rng.normal(size=(cells, cells, 3)) * rng.uniform(0, 60)
    small = np.clip(colour + noise, 0, 255).astype(np.uint8)
    sharp = rng.random() < 0.3
    return cv2.resize(
        small,
        (width, height),
        interpolation=cv2.INTER_NEAREST if sharp else cv2.INTER_CUBIC,
    )

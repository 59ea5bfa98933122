"""Notice depth that is the wrong way round: inverse depth taken for depth."""

import logging
from collections.abc import Sequence

import numpy as np
from mmengine.logging import print_log


def share_beside_farther(
    depth: np.ndarray, box: Sequence[float] | np.ndarray
) -> float | None:
    r"""Part of pairs in which what stands beside a person is farther.

    .. math:: P(z_{beside} > z_{person}) + \tfrac12 P(z_{beside} =
              z_{person})

    over the pixels in the middle of the box and those left and right of it at
    the same height of the picture: what stands beside a person is mostly
    farther. It depends on the order of the values only, so any affine of
    depth gives the same number, and disparity one minus it.

    H, W: map size in pixels.

    Args:
        depth: (H, W), NaN where missing.
        box: (4,) xyxy of the person, pixels.

    Returns:
        In [0, 1]; None where there is nothing to compare.

    Example:
        >>> depth = np.full((40, 40), 4.0)
        >>> depth[10:40, 15:25] = 2
        >>> share_beside_farther(depth, (15, 10, 25, 40))
        1.0
    """
    left, top, right, bottom = (float(side) for side in box)
    width, height = right - left, bottom - top
    rows = slice(_pixel(top + 0.3 * height), _pixel(top + 0.7 * height))
    person, before, after = (
        depth[rows, _pixel(left + start * width) : _pixel(left + end * width)]
        for start, end in ((0.3, 0.7), (-0.3, 0.0), (1.0, 1.3))
    )
    beside = np.concatenate([before.ravel(), after.ravel()])
    person = _some(person.ravel())
    beside = np.sort(_some(beside))
    if min(len(person), len(beside)) < 8:
        return None
    nearer = sum(
        np.searchsorted(beside, person, side).mean()
        for side in ('left', 'right')
    )
    return float(1 - nearer / (2 * len(beside)))


class OrientationWatch:
    """Warn once where most people stand behind what is beside them.

    Of the embedded synthetic people, 98 % of the validation and 90 % of the
    out-of-distribution split stand before it: a few samples tell depth from
    its inverse. It looks at the first samples only and never at one alone.

    Args:
        kind: what the source was declared to give, for the message.
        least: samples before the first verdict.
        most: samples after which it stops looking.
        share: part of the samples the wrong way round that is too much.
    """

    def __init__(
        self,
        kind: str = 'metric',
        least: int = 8,
        most: int = 64,
        share: float = 0.75,
    ) -> None:
        self.kind = kind
        self.least, self.most, self.share = least, most, share
        self.seen = self.reversed = 0
        self.warned = False

    def see(
        self, depth: np.ndarray, box: Sequence[float] | np.ndarray
    ) -> None:
        """Count one sample, (H, W) depth and (4,) box; warn if due."""
        if self.warned or self.seen >= self.most:
            return
        farther = share_beside_farther(depth, box)
        if farther is None:
            return
        self.seen += 1
        self.reversed += farther < 0.5
        if self.seen < self.least or self.reversed < self.share * self.seen:
            return
        self.warned = True
        other = 'depth' if self.kind == 'disparity' else 'disparity'
        print_log(
            f"depth_kind='{self.kind}' seems wrong: in {self.reversed} of "
            f'{self.seen} samples the person is behind what is beside them. '
            f'If larger values are {_MEANING[other]} in these files, set '
            f"LoadFrame(depth_kind='{other}') and "
            "depth_normalization=dict(mode='affine')",
            logger='current',
            level=logging.WARNING,
        )


_MEANING = dict(depth='farther', disparity='nearer')


def _pixel(position: float) -> int:
    return max(round(position), 0)


def _some(values: np.ndarray, most: int = 512) -> np.ndarray:
    """At most so many of the values that are there, evenly spread."""
    values = values[:: max(len(values) // most, 1)]
    return values[np.isfinite(values)]

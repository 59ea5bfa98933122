r"""The One-Euro filter, on lines and on rotations, weighted by certainty.

A low-pass filter whose cutoff grows with speed (Casiez et al., "1€ Filter",
CHI 2012): what is slow is smoothed much, what is fast hardly lags. Here

.. math:: f_t = f_{min} + \beta \lVert v_t \rVert, \quad
          a_t = 1 - e^{-2 \pi f_t \Delta t}

(the exact step of the filter that the paper approximates, so that the result
does not depend on the frame rate), and every value has a weight, 1/σ²:

.. math:: W_t = (1 - a_t) W_{t-1} + a_t w_t, \quad
          g_t = a_t w_t / W_t, \quad
          \hat x_t = \hat x_{t-1} + g_t (x_t - \hat x_{t-1})

an exponential mean weighted by certainty, without a bias at its start: a
value that is doubtful beside its neighbours takes theirs. Weights count
relative to each other only; of equal ones it is the filter of the paper.

On rotations the difference is the logarithm of the relative rotation and the
sum goes along it: :math:`\hat R_t = \hat R_{t-1} \exp(g_t \log(\hat
R_{t-1}^\top R_t))`.

T: frames. Arrays have frames first and three (or D) numbers last. float64.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from mmd2a.apis.errors import InputError

__all__ = ['LINE', 'ROTATION', 'OneEuro', 'OneEuroFilter', 'smooth_sequence']


class _Line:
    """Values that are added."""

    @staticmethod
    def between(start: NDArray, end: NDArray) -> NDArray:
        return end - start

    @staticmethod
    def along(start: NDArray, step: NDArray) -> NDArray:
        return start + step


class _Rotation:
    """Rotations as axis-angle vectors, radians."""

    @staticmethod
    def between(start: NDArray, end: NDArray) -> NDArray:
        return _vectors(_rotations(start).inv() * _rotations(end), end)

    @staticmethod
    def along(start: NDArray, step: NDArray) -> NDArray:
        return _vectors(_rotations(start) * _rotations(step), start)


def _rotations(vectors: NDArray) -> Rotation:
    return Rotation.from_rotvec(vectors.reshape(-1, 3))


def _vectors(rotations: Rotation, like: NDArray) -> NDArray:
    return rotations.as_rotvec().reshape(like.shape)


LINE, ROTATION = _Line(), _Rotation()


@dataclass(frozen=True)
class OneEuro:
    """How much is smoothed, whatever the frame rate.

    Args:
        min_cutoff: of what stands still, Hz; less is smoother.
        beta: how much the cutoff grows with speed, Hz per unit/s; more
            follows faster.
        d_cutoff: of the speed, Hz.

    Raises:
        InputError: numbers that no filter has.

    Example:
        >>> OneEuro(min_cutoff=0.5)
        OneEuro(min_cutoff=0.5, beta=0.0, d_cutoff=1.0)
    """

    min_cutoff: float = 1.0
    beta: float = 0.0
    d_cutoff: float = 1.0

    def __post_init__(self) -> None:
        if not (self.min_cutoff > 0 and self.d_cutoff > 0 and self.beta >= 0):
            raise InputError(
                f'{self}: cutoffs are more than 0 Hz, beta is not negative'
            )

    def cutoff(self, speed: NDArray) -> NDArray:
        """Cutoffs, Hz, at speeds, unit/s."""
        return self.min_cutoff + self.beta * speed


def _speed(velocity: NDArray) -> NDArray:
    return np.linalg.norm(velocity, axis=-1, keepdims=True)


def _gain(cutoff: Any, dt: Any) -> Any:
    return -np.expm1(-2 * np.pi * cutoff * dt)


class OneEuroFilter:
    """The filter for values as they come, with the lag that this costs.

    Args:
        settings: how much is smoothed.
        space: ``LINE``, or ``ROTATION`` for axis-angle vectors.

    Example:
        >>> smooth = OneEuroFilter(OneEuro(min_cutoff=1.0))
        >>> [float(smooth(np.array([x]), dt=1 / 30)[0].round(2))
        ...  for x in (0.0, 1.0, 1.0)]
        [0.0, 0.55, 0.73]
    """

    def __init__(self, settings: OneEuro, space: Any = LINE) -> None:
        self.settings = settings
        self.space = space
        self._value: NDArray | None = None
        self._weight: Any = 0.0
        self._last: Any = None
        self._velocity: Any = 0.0

    def __call__(
        self, value: NDArray, dt: float, weight: NDArray | None = None
    ) -> NDArray:
        """Take the next value.

        Args:
            value: (..., D).
            dt: seconds since the last one.
            weight: (..., 1) certainty 1/σ². None: all are equal.
        """
        weight = np.ones(()) if weight is None else weight
        if self._value is None:
            gain = _gain(self.settings.min_cutoff, dt)
            self._value, self._weight = value, gain * weight
        else:
            velocity = self.space.between(self._last, value) / dt
            step = _gain(self.settings.d_cutoff, dt)
            self._velocity = self._velocity + step * (
                velocity - self._velocity
            )
            gain = _gain(self.settings.cutoff(_speed(self._velocity)), dt)
            self._value, self._weight = _mix(
                self.space, self._value, self._weight, value, weight, gain
            )
        self._last = value
        return self._value


def smooth_sequence(
    values: NDArray,
    times: NDArray,
    settings: OneEuro,
    weights: NDArray | None = None,
    space: Any = LINE,
) -> NDArray[np.float64]:
    """Smooth a whole sequence without lag: forth, and back again.

    Speeds are of the whole sequence too, so that a movement is known before
    it begins. They are the root mean square of smoothed velocities over the
    neighbourhood: where a fast hand turns round it stands still for a moment,
    and its reach would be cut off there.

    Args:
        values: (T, ..., D).
        times: (T,) seconds, ascending.
        settings: how much is smoothed.
        weights: (T, ..., 1) certainty 1/σ². None: all are equal.
        space: ``LINE``, or ``ROTATION`` for axis-angle vectors.

    Returns:
        (T, ..., D).

    Example:
        >>> step = np.repeat([0.0, 1.0], 4)[:, None]
        >>> smooth = smooth_sequence(step, np.arange(8) / 30, OneEuro(2.0))
        >>> smooth[:, 0].round(2)
        array([0.14, 0.18, 0.25, 0.37, 0.58, 0.71, 0.79, 0.84])
    """
    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return values
    dt = np.diff(np.asarray(times, np.float64))
    if not (dt > 0).all():
        raise InputError('times of a sequence must ascend')
    dt = np.expand_dims(dt, tuple(range(1, values.ndim)))
    weights = np.ones(len(values)) if weights is None else weights
    steps = space.between(values[:-1], values[1:]) / dt
    # Of a frame: the mean of the steps before and after it.
    velocity = np.concatenate([steps[:1], steps]) / 2
    velocity[:-1] += steps / 2
    velocity[-1] += steps[-1] / 2
    equal, gain = np.ones(len(values)), _gain(settings.d_cutoff, dt)
    velocity = _forth_and_back(velocity, equal, gain, gain, LINE)
    square = _forth_and_back(_speed(velocity) ** 2, equal, gain, gain, LINE)
    cutoff = settings.cutoff(np.sqrt(square))
    return _forth_and_back(
        values, weights, _gain(cutoff[1:], dt), _gain(cutoff[:-1], dt), space
    )


def _forth_and_back(
    values: NDArray,
    weights: NDArray,
    forth: NDArray,
    back: NDArray,
    space: Any,
) -> NDArray:
    """Filter (T, ..., D) by gains (T - 1, ..., 1) of the steps, both ways.

    The second way takes the sums of weights of the first, so that of equal
    gains it is the weighted mean under a kernel that falls off to both sides.
    """
    once, sums = _one_way(values, weights, forth, space)
    twice, _ = _one_way(once[::-1], sums[::-1], back[::-1], space)
    return twice[::-1]


def _one_way(
    values: NDArray, weights: NDArray, gains: NDArray, space: Any
) -> tuple[NDArray, NDArray]:
    result = np.empty_like(values)
    result[0] = values[0]
    sums = [gains[0] * weights[0]]
    for t, gain in enumerate(gains, 1):
        result[t], total = _mix(
            space, result[t - 1], sums[-1], values[t], weights[t], gain
        )
        sums.append(total)
    return result, np.stack(sums)


def _mix(
    space: Any, value: NDArray, sum_: Any, new: NDArray, weight: Any, gain: Any
) -> tuple[NDArray, Any]:
    """One step of the filter: its value and the sum of its weights."""
    total = (1 - gain) * sum_ + gain * weight
    step = gain * weight / total * space.between(value, new)
    return space.along(value, step), total

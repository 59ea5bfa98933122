"""Errors of motions: what single frames cannot tell.

T: frames in a row, at ``fps`` frames per second, P: points (joints or
vertices). Metres in, the unit that the field prints out. OpenCV camera frame
or any other that does not move. Every function takes (T, P, 3), computes in
float64, and returns one number per row of frames that it looks at, so that
sequences of different lengths can be averaged frame by frame, as the field
does. Too few frames give an empty answer. A row with a frame in it that is not
finite is NaN: leave people who were not found out by ``valid``.
"""

import torch
from torch import Tensor

__all__ = ['acceleration_error', 'foot_slide', 'jitter']


def acceleration_error(
    pred: Tensor,
    target: Tensor,
    fps: float | None = None,
    valid: Tensor | None = None,
) -> Tensor:
    r"""Mean error of the acceleration of points.

    .. math:: \frac{1}{P} \sum_p \lVert \ddot x_p - \ddot y_p \rVert, \quad
              \ddot x_t = x_{t-1} - 2 x_t + x_{t+1}

    Args:
        pred: (T, P, 3), m.
        target: (T, P, 3), m.
        fps: frames per second: the result is in mm/s². None: in mm/frame²,
            which papers on 30 frames per second print as "Accel".
        valid: (T,) whether a frame counts. None: all do.

    Returns:
        (T - 2,), less those with a frame that does not count.

    Kanazawa et al., "Learning 3D Human Dynamics from Video", CVPR 2019.

    Example:
        >>> still = torch.zeros(5, 14, 3)
        >>> falling = 4.905 * torch.linspace(0, 0.4, 5)[:, None, None] ** 2
        >>> error = acceleration_error(falling * torch.eye(3)[1], still[:, :1],
        ...                            fps=10)
        >>> error.round()
        tensor([9810., 9810., 9810.], dtype=torch.float64)
    """
    _check(pred, target)
    difference = pred.double() - target.double()
    error = difference.diff(n=2, dim=0).norm(dim=-1).mean(1)
    scale = 1e3 if fps is None else 1e3 * _checked_rate(fps) ** 2
    return scale * error[_rows(valid, len(pred), 2)]


def jitter(points: Tensor, fps: float, valid: Tensor | None = None) -> Tensor:
    r"""Mean jerk of points: how much a motion trembles.

    .. math:: \frac{1}{P} \sum_p \lVert \dddot x_p \rVert, \quad
              \dddot x_t = (x_{t+3} - 3 x_{t+2} + 3 x_{t+1} - x_t)\, fps^3

    Of the truth it is not zero: compare with it. In 10 m/s³, as TransPose
    (Yi et al., SIGGRAPH 2021) defines it, and WHAM and GVHMR print it.

    Args:
        points: (T, P, 3), m.
        fps: frames per second.
        valid: (T,) whether a frame counts. None: all do.

    Returns:
        (T - 3,), less those with a frame that does not count.

    Example:
        >>> time = torch.linspace(0, 1, 11, dtype=torch.float64)
        >>> moving = time[:, None, None] ** 3 * torch.ones(2, 3)
        >>> jerk = jitter(moving[..., :1] * torch.eye(3)[0], fps=10)
        >>> len(jerk), round(float(jerk.mean()), 6)
        (8, 0.6)
    """
    _check(points, points)
    jerk = points.double().diff(n=3, dim=0).norm(dim=-1).mean(1)
    scale = _checked_rate(fps) ** 3 / 10
    return scale * jerk[_rows(valid, len(points), 3)]


def foot_slide(
    pred: Tensor,
    target: Tensor,
    fps: float,
    max_speed: float = 0.3,
    valid: Tensor | None = None,
) -> Tensor:
    r"""How far feet move that truly stand, from one frame to the next.

    A foot stands where its true speed is below ``max_speed``: 1 cm from frame
    to frame at 30 frames per second, as in WHAM (Shin et al., CVPR 2024).

    Args:
        pred: (T, P, 3) points of feet **in the world**, or before a camera
            that stands still, m.
        target: (T, P, 3), m.
        fps: frames per second.
        max_speed: m/s.
        valid: (T,) whether a frame counts. None: all do.

    Returns:
        (M,), mm/frame, one for each point and step in which it stands.

    Example:
        >>> stands = torch.zeros(3, 2, 3)
        >>> slides = stands + 0.01 * torch.arange(3.0)[:, None, None]
        >>> foot_slide(slides, stands, fps=30).round()
        tensor([17., 17., 17., 17.], dtype=torch.float64)
    """
    _check(pred, target)
    steps = target.double().diff(dim=0).norm(dim=-1)
    stands = steps * _checked_rate(fps) < max_speed
    stands &= _rows(valid, len(pred), 1)[:, None]
    return 1e3 * pred.double().diff(dim=0).norm(dim=-1)[stands]


def _rows(valid: Tensor | None, frames: int, order: int) -> Tensor:
    """Which differences (T - order,) are of frames that all count."""
    number = max(frames - order, 0)
    if valid is None:
        return torch.ones(number, dtype=torch.bool)
    if valid.shape != (frames,):
        raise ValueError(
            f'valid is {tuple(valid.shape)}: give one value per frame, '
            f'({frames},)'
        )
    windows = [valid[i : i + number] for i in range(order + 1)]
    return torch.stack(windows).bool().all(0)


def _check(pred: Tensor, target: Tensor) -> None:
    if pred.ndim != 3 or pred.shape[-1] != 3 or pred.shape != target.shape:
        raise ValueError(
            f'points are {tuple(pred.shape)} and {tuple(target.shape)}: give '
            '(T, P, 3), frames first, of one shape'
        )


def _checked_rate(fps: float) -> float:
    if not fps > 0:
        raise ValueError(f'fps must be more than 0, got {fps}')
    return float(fps)

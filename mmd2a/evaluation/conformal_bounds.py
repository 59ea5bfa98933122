"""Conformal bounds on their way from the validation set to the test."""

import math
from pathlib import Path
from typing import NamedTuple

from mmd2a.body_models import joint_names
from mmd2a.files import UnusableFileError, read_json

__all__ = ['ConformalBounds', 'read_conformal_bounds']


class ConformalBounds(NamedTuple):
    """Largest normalised distance of each joint, at a nominal share."""

    level: float
    by_joint: tuple[float, ...]


def read_conformal_bounds(
    path: str | Path, joint_set: str, dims: int, level: float
) -> ConformalBounds:
    """Read the bounds that a CalibrationMetric wrote on other people.

    Args:
        path: its json.
        joint_set: joints they must be of.
        dims: axes they must be of.
        level: nominal share they must be for.

    Raises:
        UnusableFileError: the file cannot be read, is no such json, or is of
            other joints, axes or another share.
    """
    content = read_json(path)
    again = (
        'name the json that CalibrationMetric(outfile_prefix=...) wrote on '
        'the validation set, with the settings of this one'
    )
    if not isinstance(content, dict) or not isinstance(
        content.get('conformal_bounds'), dict
    ):
        raise UnusableFileError('it holds no conformal_bounds', path, again)
    for name, value in dict(
        joint_set=joint_set, dims=dims, level=level
    ).items():
        if content.get(name) != value:
            raise UnusableFileError(
                f'its bounds are for {name}={content.get(name)!r}, the metric '
                f'has {value!r}',
                path,
                again,
            )
    names = joint_names(joint_set)
    # JSON has no infinity: a bound that could not be set is null.
    values = [content['conformal_bounds'].get(name, 0) for name in names]
    values = [math.inf if value is None else value for value in values]
    if not all(
        isinstance(value, (int, float)) and value > 0 for value in values
    ):
        raise UnusableFileError(
            'its conformal_bounds are not one number above 0 for each of '
            f'{", ".join(names)}',
            path,
            again,
        )
    return ConformalBounds(level, tuple(map(float, values)))

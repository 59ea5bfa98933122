"""One way to name a body, for every part that needs one."""

from typing import Any

from torch import nn

from mmd2a.body_models.smpl import SMPLBodyModel
from mmd2a.registry import MODELS

__all__ = ['build_body']


def build_body(
    body_model: SMPLBodyModel | dict[str, Any] | None = None,
) -> SMPLBodyModel:
    """Take a body, build it from its config, or take the embedded one.

    Args:
        body_model: a body, which is returned as it is; a config, of
            :class:`SMPLBodyModel` where it names no ``type``; None: the body
            that comes with the package.

    Raises:
        BodyFileError: the file that a config names cannot be used.

    Example:
        >>> build_body(dict(num_betas=5)).num_betas
        5
    """
    if isinstance(body_model, nn.Module):
        return body_model
    return MODELS.build(
        body_model or {}, default_args=dict(type='mmd2a.SMPLBodyModel')
    )

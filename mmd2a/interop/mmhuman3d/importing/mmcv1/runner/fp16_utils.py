"""``mmcv.runner.fp16_utils``: half precision, which is autocast's by now."""

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from torch import nn

from mmd2a.interop.mmhuman3d.importing.mmcv1.moved_names import found_in

__getattr__ = found_in(__name__, f'{__name__.rpartition(".")[0]}.dist_utils')


def auto_fp16(
    apply_to: Iterable[str] | None = None, out_fp32: bool = False, **_: Any
) -> Callable[[Callable], Callable]:
    """Leave a method as it is.

    In mmcv 1.x it casts arguments where ``wrap_fp16_model`` had switched the
    module to half precision. Nothing does that here: ``--amp`` casts each
    operation as it needs.

    Example:
        >>> auto_fp16(apply_to=('x',))(abs)(-1)
        1
    """
    return lambda function: function


def force_fp32(
    apply_to: Iterable[str] | None = None, out_fp16: bool = False, **_: Any
) -> Callable[[Callable], Callable]:
    """Leave a method as it is; see :func:`auto_fp16`.

    Example:
        >>> force_fp32()(abs)(-1)
        1
    """
    return lambda function: function


def wrap_fp16_model(model: nn.Module) -> NoReturn:
    """Switched a model to half precision.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError(
        'wrap_fp16_model is not part of mmcv 2: start tools/train.py with '
        '--amp'
    )

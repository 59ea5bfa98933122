"""Arguments of an earlier release: for one release, an error that helps."""

from collections.abc import Mapping
from typing import Any


def refuse_earlier_arguments(
    part: str, given: Mapping[str, Any], now: Mapping[str, str]
) -> None:
    """Refuse arguments that are spelled otherwise now, and unknown ones.

    Args:
        part: name of the part, for the message.
        given: what the part was given and has no argument for.
        now: the new spelling of each earlier argument.

    Raises:
        TypeError: anything was given.

    Example:
        >>> refuse_earlier_arguments(
        ...     'Car', dict(colour=1), dict(colour='color=...'))
        Traceback (most recent call last):
        TypeError: Car has no argument colour any more: write color=...
    """
    for name in given:
        if name in now:
            raise TypeError(
                f'{part} has no argument {name} any more: write {now[name]}'
            )
        raise TypeError(f"{part} got an unexpected keyword argument '{name}'")
